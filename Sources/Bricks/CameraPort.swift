public import IOCOM

/// The signals of a camera in their two memory blocks, checked once: nothing an info block says can reach other memory.
public struct CameraPort {
    /// The block that the controller writes (`dimp`).
    public let controllerBlock: MemoryBlock
    /// The block that the device writes (`dexp`).
    public let deviceBlock: MemoryBlock
    private let signals: CameraSignals

    /// Nil when a signal does not lie inside its block.
    public init?(controllerBlock: MemoryBlock, deviceBlock: MemoryBlock, signals: CameraSignals) {
        let device = [signals.state, signals.checksum, signals.head, signals.buffer]
        guard device.allSatisfy({ $0.fits(in: deviceBlock.size) }), signals.command.fits(in: controllerBlock.size)
        else { return nil }
        self.controllerBlock = controllerBlock
        self.deviceBlock = deviceBlock
        self.signals = signals
    }

    /// Bytes of the largest brick that can be delivered.
    public var capacity: Int { min(signals.buffer.count, BrickLimit.brick) }

    // MARK: The device's signals

    /// True when the device has written its state.
    var isConnected: Bool { signals.state.isConnected(in: deviceBlock) }
    var state: Int64 { signals.state.stored(in: deviceBlock) }

    /// Sets the device's signals to what they are before the first picture; without it controllers do not ask. The caller
    /// publishes the device's block.
    public func initializeDevice() {
        for signal in [signals.state, signals.checksum, signals.head] { signal.setStored(0, in: deviceBlock) }
        signals.buffer.setState(.connected, in: deviceBlock)
    }

    /// Makes an encoded brick the picture; false when it does not fit.
    func deliver(_ encoded: [UInt8]) -> Bool {
        guard encoded.count > BrickLimit.header, encoded.count <= capacity,
            signals.buffer.setData(encoded, in: deviceBlock)
        else { return false }
        signals.buffer.setState(.connected, in: deviceBlock)
        signals.checksum.setStored(Int64(Brick.storedChecksum(encoded)), in: deviceBlock)
        signals.head.setStored(Int64(encoded.count), in: deviceBlock)
        signals.state.setStored(Self.next(after: state, of: signals.state), in: deviceBlock)
        return true
    }

    /// The picture that is there.
    func brick() throws(BrickError) -> Brick {
        let count = signals.head.stored(in: deviceBlock)
        guard count >= BrickLimit.header, count <= signals.buffer.count else {
            throw .wrongSize(announced: Int(clamping: count), bytes: signals.buffer.count)
        }
        return try Brick(
            decoding: signals.buffer.withData(in: deviceBlock) { span in
                span.withUnsafeBytes { Array($0.prefix(Int(clamping: count))) }
            })
    }

    // MARK: The controller's signal

    /// The command; nil when no controller has written it.
    var command: Int64? {
        signals.command.isConnected(in: controllerBlock) ? signals.command.stored(in: controllerBlock) : nil
    }

    func setCommand(_ value: Int64) { signals.command.setStored(value, in: controllerBlock) }

    func nextCommand(after value: Int64) -> Int64 { Self.next(after: value, of: signals.command) }

    /// Counts on within the type of the signal, 1 after the last number.
    private static func next(after value: Int64, of signal: Signal) -> Int64 {
        value < 0 || value >= signal.type.storedRange?.upperBound ?? 1 ? 1 : value + 1
    }
}
