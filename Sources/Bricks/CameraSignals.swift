public import DeviceDescription
public import IOCOM

/// The signals of a camera that delivers whole pictures in one buffer (`cam_flat`, `lcam_flat`; application-layer.md 6.2).
public struct CameraSignals: Sendable, Equatable {
    /// Block that the device writes.
    public let deviceBlock: String
    /// Block that the controller writes.
    public let controllerBlock: String
    /// `state`: another value for each picture, never 0; 0 before the first one.
    public let state: Signal
    /// `cs`: the checksum of the picture.
    public let checksum: Signal
    /// `head`: bytes of the picture.
    public let head: Signal
    /// `buf`: the picture.
    public let buffer: Signal
    /// `cmd`: another value, not 0, asks for the next picture.
    public let command: Signal

    /// Finds the signals of an assembly: nothing is assumed about where they lie.
    public init(_ assembly: String, in info: DeviceInfo) throws(CameraSignalsError) {
        guard let found = info.assemblies.first(where: { $0.name == assembly }) else { throw .noAssembly(assembly) }
        guard Self.kinds.contains(found.kind) else { throw .kind(found.kind) }
        let exported = try Self.split(found.exported)
        let imported = try Self.split(found.imported)
        deviceBlock = exported.block
        controllerBlock = imported.block
        state = try Self.number("state", exported, info)
        checksum = try Self.number("cs", exported, info)
        head = try Self.number("head", exported, info)
        command = try Self.number("cmd", imported, info)
        let name = exported.prefix + "buf"
        guard let signal = info.signal(name, in: exported.block)?.signal,
            signal.type == .uchar || signal.type == .char, signal.count > BrickLimit.header
        else { throw .signal(name) }
        buffer = signal
    }

    /// Kinds whose pictures come whole.
    private static let kinds = ["cam_flat", "lcam_flat"]

    private static func split(_ path: String) throws(CameraSignalsError) -> (block: String, prefix: String) {
        guard let dot = path.firstIndex(of: "."), dot != path.startIndex else { throw .path(path) }
        return (String(path[..<dot]), String(path[path.index(after: dot)...]))
    }

    private static func number(
        _ name: String, _ place: (block: String, prefix: String), _ info: DeviceInfo
    ) throws(CameraSignalsError) -> Signal {
        let name = place.prefix + name
        guard let signal = info.signal(name, in: place.block)?.signal, signal.type.isInteger, signal.count == 1 else {
            throw .signal(name)
        }
        return signal
    }
}

/// Why a device's description tells of no camera that can be used.
public enum CameraSignalsError: Error, Equatable, Sendable, CustomStringConvertible {
    /// No assembly of that name.
    case noAssembly(String)
    /// An assembly of a kind that is not supported, such as `cam_ring`.
    case kind(String)
    /// What should name a block and the beginning of signals does not.
    case path(String)
    /// A signal is missing, or of another type than it must have.
    case signal(String)

    /// For people.
    public var description: String {
        switch self {
        case .noAssembly(let name): "there is no camera '\(name)'"
        case .kind(let kind): "cameras of the kind '\(kind)' are not supported"
        case .path(let path): "'\(path)' does not name the signals of a camera"
        case .signal(let name): "the signal '\(name)' of the camera is missing or has a wrong type"
        }
    }
}

/// A camera as the original's candy has it: assembly `camera` of the kind `cam_flat` over `dexp` and `dimp`.
public enum StandardCamera {
    /// Elements of the buffer in the original's candy.
    public static let buffer = 65_536
    /// The entry in the info block.
    public static let assembly = Assembly(
        name: "camera", kind: "cam_flat", exported: "dexp.rec_", imported: "dimp.rec_")

    /// The blocks `dexp`, with a buffer for a picture of `buffer` bytes, and `dimp`.
    public static func blocks(buffer: Int = StandardCamera.buffer) throws(DeviceInfoError) -> [BlockDescription] {
        [
            try BlockDescription(
                "dexp", .up,
                [
                    GroupDefinition(
                        "camera_data",
                        [
                            SignalDefinition("rec_state", .ushort), SignalDefinition("rec_err", .uchar),
                            SignalDefinition("rec_cs", .ushort), SignalDefinition("rec_head", .int),
                            SignalDefinition("rec_buf", .uchar, count: Int64(buffer)),
                        ])
                ]),
            try BlockDescription(
                "dimp", .down, [GroupDefinition("camera_data", [SignalDefinition("rec_cmd", .int)])]),
        ]
    }
}
