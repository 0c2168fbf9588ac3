import IOCOM

/// A block over memory of its own; it begins with zeros.
func signalBlock(_ size: Int) -> MemoryBlock {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 8)
    buffer.initializeMemory(as: UInt8.self, repeating: 0)
    return MemoryBlock(
        path: BlockPath(block: "exp", device: DevicePath(name: "candy", number: 1, network: "cafenet")),
        flags: .up, memory: LentMemory(buffer, release: { $0.deallocate() }))
}

extension MemoryBlock {
    /// A copy of all bytes.
    var allBytes: [UInt8] { (0..<size).map { byte(at: $0) } }
}
