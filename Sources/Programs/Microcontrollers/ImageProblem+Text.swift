import ByteTools
public import FirmwareImages

extension ImageProblem {
    /// The reason for people.
    public var text: String {
        switch self {
        case .tooShort: "the program ends before its last byte"
        case .notAnImage:
            "no program descriptor stands at byte \(ProgramDescriptor.offset); 'ispy package make-image' puts it there"
        case .format(let version): "the program descriptor has format \(version), which is not known here"
        case .descriptorChecksum: "the checksum of the program descriptor is wrong"
        case .text: "a text of the program descriptor is empty or no text"
        case .size(let size): "the program descriptor says \(size) bytes, which no image has"
        case .tooLarge(let size, let limit): "the program has \(size) bytes, its place has \(limit)"
        case .tooLong: "bytes follow after the end of the program"
        case .loadAddress(let found, let expected):
            "the program is linked for \(hexadecimal(Int(found))), here it starts at \(hexadecimal(Int(expected)))"
        case .application: "the program is another application than the one that this device runs"
        case .os: "the program is for another kind of device"
        case .hardware: "the program is for other hardware"
        case .stackPointer(let value):
            "the initial stack pointer \(hexadecimal(Int(value))) is not in the RAM of this part"
        case .resetVector(let value): "the reset vector \(hexadecimal(Int(value))) is not in the program"
        case .trailer: "the program does not end with its hash"
        case .hash: "the program's bytes do not match its hash"
        }
    }
}
