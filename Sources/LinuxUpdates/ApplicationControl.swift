public import ByteTools

/// Starts and stops an application: systemd, or a starter of our own. Blocking.
public protocol ApplicationControl: Sendable {
    /// Starts it, or starts it anew when it runs.
    func restart() throws(StorageFailure)
    /// Stops it; returns when it has ended.
    func stop() throws(StorageFailure)
    /// The machine or the starter started: it is to run from now on, if that is not somebody else's business.
    func begin()
    /// It is not named any more: it is not to run, if that is not somebody else's business.
    func retire()
    /// How it is started, for people.
    var summary: String { get }
    /// How it ended by itself since the last ``restart()``; nil when it did not. Nobody asks more than once a second.
    func crashes() -> Crashes?
}

/// Ends of a program that nobody asked for.
public struct Crashes: Sendable, Equatable {
    /// How often in a row, soon after the start.
    public var count: Int
    /// How the latest was.
    public var reason: String
    /// It will not be started again by itself.
    public var isFinal: Bool

    /// Composes it.
    public init(count: Int, reason: String, isFinal: Bool = false) {
        self.count = count
        self.reason = reason
        self.isFinal = isFinal
    }
}

extension ApplicationControl {
    /// Nothing: it is started otherwise.
    public func begin() {}
    /// Nothing: it is stopped otherwise.
    public func retire() {}
}

/// Several programs of one package, or one: they are started and stopped together.
public struct ControlGroup: ApplicationControl {
    private let members: [any ApplicationControl]

    /// All of `members`.
    public init(_ members: [any ApplicationControl]) { self.members = members }

    /// Starts each anew.
    public func restart() throws(StorageFailure) {
        for member in members { try member.restart() }
    }

    /// Stops each.
    public func stop() throws(StorageFailure) {
        for member in members { try member.stop() }
    }

    /// Starts each that does not run.
    public func begin() {
        for member in members { member.begin() }
    }

    /// Stops each for good.
    public func retire() {
        for member in members { member.retire() }
    }

    /// What each says.
    public var summary: String { members.map(\.summary).joined(separator: ", ") }

    /// The worst.
    public func crashes() -> Crashes? {
        members.compactMap { $0.crashes() }.max { ($0.isFinal ? .max : $0.count) < ($1.isFinal ? .max : $1.count) }
    }
}
