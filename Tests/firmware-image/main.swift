import ByteTools
import FirmwareDevice
import FirmwareImages
import FirmwareLayouts
import FirmwareStorage
import Glibc
import IOCOM
import Programs

// What scripts/firmware needs beside the compiler: images of programs, and flash files of the RISC-V board.
//
//   firmware-image image BINARY OUT APPLICATION VERSION OS HARDWARE ADDRESS
//   firmware-image flash IMAGE OUT [KEY.pub...]

/// Ends with a message on standard error.
func leave(_ status: Int32, _ text: String) -> Never {
    let line = Array("firmware: \(text)\n".utf8)
    _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    exit(status)
}

/// All bytes of a file.
func content(_ path: String, atMost limit: Int) -> [UInt8] {
    do throws(StorageFailure) {
        let file = try File(path, .read)
        let size = try file.byteCount
        guard size <= limit else { leave(1, "\(path) has \(size) bytes; at most \(limit) are possible") }
        return try file.read(at: 0, count: size)
    } catch {
        leave(4, "\(error)")
    }
}

func store(_ path: String, _ bytes: [UInt8]) {
    do throws(StorageFailure) { try ReplacementFile.write(path, bytes, isPublic: true) } catch { leave(1, "\(error)") }
}

/// The area of the persistent blocks in memory.
final class BlocksInMemory {
    var bytes = [UInt8](repeating: 0xFF, count: VirtFlashLayout.blocks.size)
}

/// What the firmware's code writes to on a board.
struct BlocksArea: FlashArea {
    let memory: BlocksInMemory
    var size: Int { memory.bytes.count }
    var writeSize: Int { 16 }

    func unit(at offset: Int) -> FlashUnit {
        let size = VirtFlashLayout.unitSize
        return FlashUnit(start: offset / size * size, size: size)
    }

    func read(at offset: Int, into out: UnsafeMutableRawBufferPointer) throws(FlashFault) {
        try check(offset, out.count)
        out.copyBytes(from: memory.bytes[offset..<(offset + out.count)])
    }

    mutating func write(at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FlashFault) {
        try check(offset, bytes.count)
        memory.bytes.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
    }

    mutating func erase(unitAt offset: Int) throws(FlashFault) {
        let unit = unit(at: offset)
        try check(unit.start, unit.size)
        memory.bytes.replaceSubrange(unit.start..<unit.end, with: repeatElement(0xFF, count: unit.size))
    }
}

/// Persistent blocks of a device that takes only what these keys signed.
func blocks(withKeys paths: ArraySlice<String>) -> [UInt8] {
    var keys: [UInt8] = []
    for path in paths {
        do throws(StorageFailure) { keys += try TrustedKey(file: path).deviceForm } catch { leave(1, "\(error)") }
    }
    let memory = BlocksInMemory()
    do throws(BlockLogProblem) {
        var log = try BlockLog(BlocksArea(memory: memory))
        try log.begin(FactoryBlock.packageKeys)
        try log.append(keys.span.bytes)
        try log.commit()
    } catch { leave(1, "the keys can't be stored: \(error)") }
    return memory.bytes
}

let arguments = Array(CommandLine.arguments.dropFirst())
switch (arguments.first, arguments.count) {
case ("image", 8):
    guard let address = UInt32(arguments[7], radix: 16) else { leave(2, "'\(arguments[7])' is no hexadecimal address") }
    let builder = MicrocontrollerImageBuilder(
        application: arguments[3], version: arguments[4], os: arguments[5], hardware: arguments[6],
        loadAddress: address, program: content(arguments[1], atMost: Int(ProgramDescriptor.largestImage)))
    do throws(MicrocontrollerImageBuilder.Failure) { store(arguments[2], try builder.build()) } catch {
        leave(1, "\(error)")
    }
case ("flash", 3...7):
    let image = content(arguments[1], atMost: VirtFlashLayout.slotSize)
    do throws(MicrocontrollerImage.Failure) {
        _ = try MicrocontrollerImage(
            checking: ArraySource(image),
            for: ImageTarget(
                os: "riscv32", hardware: "virt", largest: UInt32(VirtFlashLayout.slotSize),
                loadAddress: VirtFlashLayout.loadAddress))
    } catch { leave(1, "\(arguments[1]) is no program for the board: \(error)") }
    // An empty flash has all bits set. The boot loader takes the only program that is whole for a good one.
    var flash = [UInt8](repeating: 0xFF, count: VirtFlashLayout.size)
    let start = VirtFlashLayout.slot(0).offset
    flash.replaceSubrange(start..<(start + image.count), with: image)
    if arguments.count > 3 {
        let place = VirtFlashLayout.blocks
        flash.replaceSubrange(place.offset..<(place.offset + place.size), with: blocks(withKeys: arguments[3...]))
    }
    store(arguments[2], flash)
default:
    leave(
        2,
        "usage: firmware-image image BINARY OUT APPLICATION VERSION OS HARDWARE ADDRESS | flash IMAGE OUT [KEY.pub, at most 4]"
    )
}
