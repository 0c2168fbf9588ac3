import ByteTools
import DeviceStorage
import Synchronization

/// What ends everything that a module could still write.
protocol ModulePower: Sendable {
    /// From here on nothing that the module did so far can change what it stores.
    func switchOff()
}

/// The flash as long as the module is on. A restart switches it off first: what a thread of the former run still wants to
/// write then fails, as it would in a chip that was reset, and can never mix with what the next run does.
final class PowerSwitch: FlashDevice, ModulePower {
    let size: Int
    private struct State { var flash: (any FlashDevice)? }
    private let flash: Mutex<State>

    init(_ flash: any FlashDevice) {
        size = flash.size
        self.flash = Mutex(State(flash: flash))
    }

    /// Waits for the operation under way and lets no other begin.
    func switchOff() { flash.withLock { $0.flash = nil } }

    func read(at offset: Int, count: Int) throws(FlashError) -> [UInt8] {
        try flash.withLock { state throws(FlashError) in try Self.chip(state).read(at: offset, count: count) }
    }

    func write(at offset: Int, _ bytes: [UInt8]) throws(FlashError) {
        try flash.withLock { state throws(FlashError) in try Self.chip(state).write(at: offset, bytes) }
    }

    func eraseSector(at offset: Int) throws(FlashError) {
        try flash.withLock { state throws(FlashError) in try Self.chip(state).eraseSector(at: offset) }
    }

    func sync() throws(FlashError) {
        try flash.withLock { state throws(FlashError) in try Self.chip(state).sync() }
    }

    private static func chip(_ state: State) throws(FlashError) -> any FlashDevice {
        guard let flash = state.flash else { throw .device(StorageFailure("the device is restarting")) }
        return flash
    }
}
