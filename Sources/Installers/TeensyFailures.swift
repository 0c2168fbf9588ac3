import DeviceStorage
import FirmwareStorage
import Synchronization

/// A flash that remembers how it failed last. The copy machine is code for microcontrollers and says no more than that a
/// flash failed (``FlashFault``); people want to know that the disk is full.
final class RememberingFlash: FlashDevice {
    private let flash: any FlashDevice
    private let last = Mutex<FlashError?>(nil)

    init(_ flash: any FlashDevice) { self.flash = flash }

    /// The failure that came last; nil when all went well.
    var failure: FlashError? { last.withLock { $0 } }

    var size: Int { flash.size }

    func read(at offset: Int, count: Int) throws(FlashError) -> [UInt8] {
        do { return try flash.read(at: offset, count: count) } catch { throw noted(error) }
    }

    func write(at offset: Int, _ bytes: [UInt8]) throws(FlashError) {
        do { try flash.write(at: offset, bytes) } catch { throw noted(error) }
    }

    func eraseSector(at offset: Int) throws(FlashError) {
        do { try flash.eraseSector(at: offset) } catch { throw noted(error) }
    }

    func sync() throws(FlashError) {
        do { try flash.sync() } catch { throw noted(error) }
    }

    private func noted(_ error: FlashError) -> FlashError {
        last.withLock { $0 = error }
        return error
    }
}
