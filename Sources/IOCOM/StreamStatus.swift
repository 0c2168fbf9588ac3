/// Result code of a transfer or an installation, as the device writes it into `tod_err` and `frd_err`
/// (application-layer.md 2.8).
///
/// Codes of 100 and more are errors. A device may send codes that are not listed here; they are kept as they came.
public struct StreamStatus: Sendable, Hashable {
    /// The number on the wire.
    public let rawValue: UInt8

    /// A code from the wire or from constants.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Nothing to report yet.
    public static let none = StreamStatus(rawValue: 0)
    /// The data has arrived, the installer or the storage is still at work.
    public static let pending = StreamStatus(rawValue: 4)
    /// Done, successfully.
    public static let completed = StreamStatus(rawValue: 6)
    /// General failure.
    public static let failed = StreamStatus(rawValue: 100)
    /// The peer did not move on in time.
    public static let timeout = StreamStatus(rawValue: 104)
    /// The user is not authorised.
    public static let notAuthorized = StreamStatus(rawValue: 110)
    /// The device has no installer.
    public static let notSupported = StreamStatus(rawValue: 120)
    /// Memory could not be allocated.
    public static let outOfMemory = StreamStatus(rawValue: 138)
    /// Reading a block failed, or the block does not exist.
    public static let readFailed = StreamStatus(rawValue: 140)
    /// Writing a block failed.
    public static let writeFailed = StreamStatus(rawValue: 142)
    /// Writing the program to the device's flash failed.
    public static let programmingFailed = StreamStatus(rawValue: 166)
    /// The installer refused the program.
    public static let installationFailed = StreamStatus(rawValue: 168)
    /// The block may not be accessed.
    public static let noAccess = StreamStatus(rawValue: 186)
    /// The installer process could not be started.
    public static let installerNotStarted = StreamStatus(rawValue: 188)
    /// No room on the device.
    public static let discFull = StreamStatus(rawValue: 192)
    /// The checksum of the data that arrived differs from the sender's.
    public static let checksumMismatch = StreamStatus(rawValue: 204)

    /// True for codes of 100 and more.
    public var isError: Bool { rawValue >= 100 }

    /// True when the code is an outcome: neither ``none`` nor ``pending``.
    public var isFinal: Bool { self != .none && self != .pending }
}

#if !hasFeature(Embedded)
extension StreamStatus: CustomStringConvertible {
    /// What the code means, for people; codes without a known meaning show their number.
    public var description: String {
        switch self {
        case .none: "no result yet"
        case .pending: "pending: the device is still working on it"
        case .completed: "completed"
        case .failed: "failed (code 100, no further reason given)"
        case .timeout: "timeout"
        case .notAuthorized: "not authorized"
        case .notSupported: "not supported: the device has no installer for programs"
        case .outOfMemory: "the device is out of memory"
        case .readFailed: "reading the block failed, or it does not exist"
        case .writeFailed: "writing the block failed"
        case .programmingFailed: "writing the program to flash failed"
        case .installationFailed: "program installation failed"
        case .noAccess: "no access rights to this block"
        case .installerNotStarted: "unable to start the installer process"
        case .discFull: "no room left on the device"
        case .checksumMismatch: "checksum error: the data was damaged on the way"
        default: isError ? "error code \(rawValue)" : "status code \(rawValue)"
        }
    }
}
#endif
