import FirmwareImages
import IOCOM

/// The five standard blocks of a device in memory that is taken once, at the start.
struct DeviceBlocks {
    let exported: MemoryBlock
    let imported: MemoryBlock
    let configurationExport: MemoryBlock
    let configurationImport: MemoryBlock
    let info: MemoryBlock

    init(_ device: DevicePath, _ streams: StandardStreams) {
        func block(_ name: BlockName, _ flags: BlockFlags, _ size: Int) -> MemoryBlock {
            MemoryBlock(
                path: BlockPath(block: name, device: device), flags: flags, memory: DeviceMemory.take(size))
        }
        exported = block("exp", .up, DeviceLayout.Exp.size)
        imported = block("imp", .down, DeviceLayout.Imp.size)
        configurationExport = block("conf_exp", .up, streams.deviceBlockSize)
        configurationImport = block("conf_imp", .down, streams.controllerBlockSize)
        let description = DeviceLayout.info
        info = block("info", [.up, .static], description.count)
        info.write(description.span.bytes, at: 0)
        info.publish()
    }

    /// In the order in which they are announced.
    func forEach(_ body: (MemoryBlock) -> Void) {
        body(exported)
        body(imported)
        body(configurationExport)
        body(configurationImport)
        body(info)
    }

    /// The block of that path; nil when it is none of these.
    func block(_ path: BlockPath) -> MemoryBlock? {
        if path == exported.path { return exported }
        if path == imported.path { return imported }
        if path == configurationExport.path { return configurationExport }
        if path == configurationImport.path { return configurationImport }
        return path == info.path ? info : nil
    }
}

/// Zeroed memory from the heap that gives it back when its block ends.
enum DeviceMemory {
    static func take(_ size: Int) -> LentMemory {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, size), alignment: 8)
        for i in 0..<memory.count { memory[i] = 0 }
        return LentMemory(memory, release: { $0.deallocate() })
    }
}
