import FirmwareImages
import IOCOM

/// Makes an image of a program as a linker leaves it: puts the descriptor at offset 0x200 and the hash at the end.
public struct MicrocontrollerImageBuilder: Sendable {
    /// Why no image can be made.
    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// A name is too long for the descriptor.
        case name(String)
        /// The place of the descriptor holds something.
        case occupied
        /// It would be larger than any image.
        case tooLarge

        /// The reason for people.
        public var description: String {
            switch self {
            case .name(let name): "'\(name)' does not fit into a program descriptor"
            case .occupied:
                "bytes 512 to 639 of the program, the place of the descriptor, are in use; they have to be zero or 255"
            case .tooLarge: "the program is larger than \(ProgramDescriptor.largestImage) bytes"
            }
        }
    }

    /// Application, equal to the device name; at most 15 bytes.
    public var application: String
    /// Version, `YYMMDD-HHMM`.
    public var version: String
    /// Operating system; at most 7 bytes.
    public var os: String
    /// Hardware; at most 16 bytes.
    public var hardware: String
    /// Who makes it; at most 15 bytes.
    public var organization = "iocafe"
    /// Address of the first byte.
    public var loadAddress: UInt32
    /// Bytes of the program from the load address on, with the place of the descriptor left free; filled up with 0xFF when
    /// they end before it.
    public var program: [UInt8]
    /// Record for emulated devices (``ProgramDescriptor/recordOffset``); empty writes none.
    public var record: [UInt8] = []

    /// A builder with the parts that have no default.
    public init(
        application: String, version: String, os: String, hardware: String, loadAddress: UInt32, program: [UInt8]
    ) {
        self.application = application
        self.version = version
        self.os = os
        self.hardware = hardware
        self.loadAddress = loadAddress
        self.program = program
    }

    /// A program that only an emulated Cortex-M runs: a vector table with that stack pointer and a reset vector behind the
    /// record, then `data`.
    public static func cortexM(
        application: String, version: String, os: String = "stm32", hardware: String, loadAddress: UInt32,
        stackPointer: UInt32, data: [UInt8] = []
    ) -> MicrocontrollerImageBuilder {
        let start = ProgramDescriptor.recordOffset + ProgramDescriptor.recordSize
        var program = [UInt8](repeating: 0xFF, count: start)
        let reset = loadAddress &+ UInt32(start) | 1
        for (index, word) in [stackPointer, reset].enumerated() {
            for k in 0..<4 { program[4 * index + k] = UInt8(truncatingIfNeeded: word >> UInt32(8 * k)) }
        }
        // What a program without work does: branch to itself.
        program += [0xFE, 0xE7, 0x00, 0xBF] + data
        return MicrocontrollerImageBuilder(
            application: application, version: version, os: os, hardware: hardware, loadAddress: loadAddress,
            program: program)
    }

    /// The image.
    public func build() throws(Failure) -> [UInt8] {
        func text<let limit: Int>(_ string: String) throws(Failure) -> ShortText<limit> {
            guard !string.isEmpty, let text = ShortText<limit>(string) else { throw .name(string) }
            return text
        }
        let place = ProgramDescriptor.offset..<(ProgramDescriptor.offset + ProgramDescriptor.size)
        var image = program
        let start = ProgramDescriptor.recordOffset + ProgramDescriptor.recordSize
        while image.count < start || image.count % 8 != 0 { image.append(0xFF) }
        guard image.count + ImageTrailer.size <= Int(ProgramDescriptor.largestImage) else { throw .tooLarge }
        guard image[place].allSatisfy({ $0 == 0 || $0 == 0xFF }) else { throw .occupied }
        let descriptor = ProgramDescriptor(
            imageSize: UInt32(image.count + ImageTrailer.size), loadAddress: loadAddress,
            application: try text(application), version: try text(version), os: try text(os),
            hardware: try text(hardware), organization: try text(organization))
        image.withUnsafeMutableBytes { descriptor.encode(into: UnsafeMutableRawBufferPointer(rebasing: $0[place])) }
        for (index, byte) in record.prefix(ProgramDescriptor.recordSize).enumerated() {
            image[ProgramDescriptor.recordOffset + index] = byte
        }
        var hash = ImageHash()
        image.withUnsafeBytes { hash.add($0) }
        var trailer = [UInt8](repeating: 0, count: ImageTrailer.size)
        trailer.withUnsafeMutableBytes { ImageTrailer.encode(hash.finished(), into: $0) }
        return image + trailer
    }
}
