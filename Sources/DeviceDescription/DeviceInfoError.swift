public import PackedJSON

/// Why a description of a device is not one.
public enum DeviceInfoError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The bytes are not packed JSON.
    case notPacked(UnpackingError)
    /// The description cannot be packed.
    case notPackable(PackingError)
    /// The document has no list of memory blocks.
    case noBlocks
    /// Something that must be a list, an object, a text or an integer is something else.
    case wrongKind(String, expected: String)
    /// A block or signal without name.
    case missingName(NamedThing)
    /// A name beyond ``NamedThing/limit``.
    case nameTooLong(NamedThing, bytes: Int)
    /// A name with control characters.
    case unprintableName(NamedThing)
    /// Two blocks of one name.
    case repeatedBlock(String)
    /// A type that does not exist.
    case unknownType(String, signal: String)
    /// A signal at a negative address, or one that ends beyond the largest block accepted.
    case outsideBlock(signal: String, address: Int64, limit: Int)
    /// More memory blocks than ``DeviceInfoLimits/blocks``.
    case tooManyBlocks(limit: Int)
    /// More groups in a block than ``DeviceInfoLimits/groups``.
    case tooManyGroups(block: String, limit: Int)
    /// More signals in a block than ``DeviceInfoLimits/signals``.
    case tooManySignals(block: String, limit: Int)
    /// More assemblies than ``DeviceInfoLimits/assemblies``.
    case tooManyAssemblies(limit: Int)

    /// For people.
    public var description: String {
        switch self {
        case .notPacked(let error): "the device's description is unreadable: \(error)"
        case .notPackable(let error): "the description cannot be packed: \(error)"
        case .noBlocks: "the device's description names no memory blocks"
        case .wrongKind(let what, let expected): "\(what) in the device's description is not \(expected)"
        case .missingName(let thing): "a \(thing.rawValue) in the device's description has no name"
        case .nameTooLong(let thing, let bytes):
            "a \(thing.rawValue) name has \(bytes) bytes, at most \(thing.limit) are possible"
        case .unprintableName(let thing): "a \(thing.rawValue) name contains control characters"
        case .repeatedBlock(let name): "block \(name) is described twice"
        case .unknownType(let type, let signal): "signal \(signal) has unknown type \"\(type)\""
        case .outsideBlock(let signal, let address, let limit):
            "signal \(signal) at address \(address) does not lie inside a block of at most \(limit) bytes"
        case .tooManyBlocks(let limit): "the device describes more than \(limit) memory blocks"
        case .tooManyGroups(let block, let limit): "block \(block) has more than \(limit) groups"
        case .tooManySignals(let block, let limit): "block \(block) has more than \(limit) signals"
        case .tooManyAssemblies(let limit): "the device describes more than \(limit) assemblies"
        }
    }
}
