public import ByteTools
import Glibc
import Synchronization

/// An application's way to its installer. Blocking: not for an event loop.
public struct InstallerClient: Sendable {
    /// Where installers wait.
    public static let standardPath = "/run/iocom/installer.sock"
    /// Longest time for an installation.
    private static let installSeconds = 1_800
    private static let answerSeconds = 30

    /// Variables in which a starter says to a program what it is.
    static let packageVariable = "IOCOM_PACKAGE"
    static let instanceVariable = "IOCOM_INSTANCE"
    static let socketVariable = "IOCOM_INSTALLER"

    private let path: String
    private let package: String?
    private let instance: String
    private let restart = PendingRestart()

    /// A client of the installer at `path`, for the application `package`; else for the one that the starter says, or the
    /// one of this user.
    public init(path: String? = nil, package: String? = nil) {
        func variable(_ name: String) -> String? { ServiceNotice.variable(name).flatMap { $0.isEmpty ? nil : $0 } }
        self.path = path ?? variable(Self.socketVariable) ?? Self.standardPath
        self.package = package ?? variable(Self.packageVariable)
        instance = variable(Self.instanceVariable) ?? ""
    }

    /// True when there is an installer.
    public var isThere: Bool { access(path, W_OK) == 0 }

    /// Asks something that is answered soon; with `waits` also when a restart comes before the answer.
    public func ask(_ request: InstallerRequest.Kind, waits: Bool = false) throws(StorageFailure) -> InstallerReply {
        try exchange(request, file: nil, seconds: Self.answerSeconds, waits: waits)
    }

    /// This program may be ended for the restart that ``InstallerReply/restarting`` announced: everybody was told.
    public func mayRestart() { restart.hold(nil) }

    /// Hands a package over. Gives ``InstallerReply/restarting`` when another program is about to be started in this one's
    /// place, as soon as ``mayRestart()`` is called or a short time is over; unless `waits`, which gives the end. `said` hears
    /// the last lines of what the package manager says.
    public func install(
        _ package: String, manifest: [UInt8]?, waits: Bool = false, said: (String) -> Void = { _ in }
    ) throws(StorageFailure) -> InstallerReply {
        let descriptor = open(package, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            throw StorageFailure("\(package) can't be opened: \(LocalConnection.reason())", systemError: errno)
        }
        defer { close(descriptor) }
        return try exchange(
            .install(manifest: manifest), file: descriptor, seconds: Self.installSeconds, waits: waits, said: said)
    }

    private func exchange(
        _ kind: InstallerRequest.Kind, file: Int32?, seconds: Int, waits: Bool, said: (String) -> Void = { _ in }
    ) throws(StorageFailure) -> InstallerReply {
        let connection = try LocalConnection.connect(path)
        connection.setTimeout(seconds: seconds)
        try connection.send(InstallerRequest(kind, package: package, instance: instance).line, file: file)
        // Who waits for the end has nobody to tell before.
        if waits { connection.endSending() }
        while let line = try connection.readLine() {
            guard let reply = InstallerReply(line) else {
                throw StorageFailure("the installer's answer is not understood")
            }
            switch reply {
            case .said(let text): said(text)
            case .restarting:
                if waits { continue }
                restart.hold(connection)
                return reply
            case .state, .refused, .list: return reply
            }
        }
        throw StorageFailure("the installer ended before it answered")
    }
}

/// The connection whose end tells the installer that the restart may begin.
private final class PendingRestart: @unchecked Sendable {
    private let lock = Mutex(())
    private var connection: LocalConnection?

    /// Keeps a connection instead of the one before, which ends.
    func hold(_ new: LocalConnection?) { lock.withLock { _ in connection = new } }
}
