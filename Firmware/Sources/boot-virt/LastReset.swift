import BootInterface
import FirmwareImages
import FirmwareStorage
import Machine

/// Why the machine was restarted: kept in a place of the RAM that nothing clears, so it is known at the next start when the
/// power was there all the time.
struct LastReset {
    var mark: UInt32 = LastReset.magic
    /// A ``ResetCause``.
    var cause: UInt32 = ResetCause.power.rawValue
    /// Starts since the power came.
    var starts: UInt32 = 0
    var trap: UInt32 = 0
    var place: UInt32 = 0
    var value: UInt32 = 0
    var checksum: UInt32 = 0

    private static var magic: UInt32 { 0x4C52_5354 }
    private static var address: UInt { 0x801F_E000 }

    init() {}

    private var computed: UInt32 {
        var crc = ImageCRC()
        withUnsafeBytes(of: self) { bytes in
            for byte in bytes.dropLast(4) { crc.add(byte) }
        }
        return crc.value
    }

    /// What was kept; counts this start.
    static func take() -> LastReset {
        var found = LastReset()
        guard let kept = UnsafeMutablePointer<LastReset>(bitPattern: address) else { return found }
        if kept.pointee.mark == magic, kept.pointee.checksum == kept.pointee.computed { found = kept.pointee }
        found.starts &+= 1
        // A cause counts once.
        var next = LastReset()
        next.starts = found.starts
        next.keep()
        return found
    }

    private func keep() {
        guard let kept = UnsafeMutablePointer<LastReset>(bitPattern: Self.address) else { return }
        var whole = self
        whole.checksum = whole.computed
        kept.pointee = whole
        machine_barrier()
    }

    /// Keeps a cause and restarts the machine (SiFive test device, 0x7777).
    static func restart(_ cause: UInt32, trap: UInt32 = 0, place: UInt32 = 0, value: UInt32 = 0) -> Never {
        var next = LastReset()
        if let kept = UnsafeMutablePointer<LastReset>(bitPattern: address) { next.starts = kept.pointee.starts }
        next.cause = cause
        next.trap = trap
        next.place = place
        next.value = value
        next.keep()
        machine_store32(0x0010_0000, 0x7777)
        while true { machine_sleep_until_tick() }
    }

    /// The same in the words of the slot records.
    var goneBack: GoneBack {
        switch ResetCause(rawValue: cause) {
        case .watchdog: .watchdog
        case .crash: .crash
        case .selfTest: .selfTest
        default: .noProof
        }
    }
}
