import ServerData

/// What a running server says of itself: bounded, without secrets. The members are what `frank status --json` prints.
public struct ServerStatus: Codable, Sendable, Equatable {
    /// Transfers and waiting addresses that are listed at most; the numbers beside them count all.
    public static let mostListed = 50

    /// Version of the program; when it was built, where it was not installed from a package.
    public var version: String
    /// Process.
    public var process: Int32
    /// Seconds since 1970 when it started.
    public var startedAt: Int
    /// Seconds it has run.
    public var uptimeSeconds: Int
    /// Where it listens.
    public var addresses: [String]
    /// Networks it publishes.
    public var networks: [String]
    /// Devices that can be reached, without the server's own.
    public var devices: Int
    /// Connections.
    public var connections: Connections
    /// Logins since the start.
    public var logins: Logins
    /// Memory blocks that peers brought.
    public var blocks: Int
    /// Bytes set aside for them.
    public var blockBytes: Int
    /// Resident memory of the process, bytes; 0 when the system does not tell.
    public var residentBytes: Int
    /// Messages received since the start.
    public var messages: UInt64
    /// How often a connection was not read from for the rest of a second, see `messages_per_second`.
    public var pauses: UInt64
    /// Uploads and installations under way.
    public var transfers: Transfers
    /// Every limit.
    public var limits: [Limit]

    /// Who is connected.
    public struct Connections: Codable, Sendable, Equatable {
        /// In all.
        public var all: Int
        /// Nobody is logged in there yet.
        public var pending: Int
        /// By role; `plain` are those where no login is checked.
        public var roles: [String: Int]
    }

    /// How logins went.
    public struct Logins: Codable, Sendable, Equatable {
        /// Let in.
        public var accepted: UInt64
        /// Turned away.
        public var refused: UInt64
        /// Waiting to be decided now.
        public var waiting: Int
        /// Addresses from which somebody has to wait now.
        public var slowedAddresses: Int
        /// Those that wait longest.
        public var slowed: [Slowed]
    }

    /// An address from which somebody has to wait before the next login.
    public struct Slowed: Codable, Sendable, Equatable {
        /// The address.
        public var address: String
        /// Seconds to wait.
        public var seconds: Int
    }

    /// What is being written to devices.
    public struct Transfers: Codable, Sendable, Equatable {
        /// How many.
        public var active: Int
        /// Some of them.
        public var listed: [Transfer]
    }

    /// One block that somebody writes.
    public struct Transfer: Codable, Sendable, Equatable {
        /// The device.
        public var device: String
        /// Who writes.
        public var user: String
        /// Block number.
        public var block: Int
        /// Bytes that came so far.
        public var bytes: UInt64
        /// Time it takes so far.
        public var seconds: Int
    }

    /// One limit and how far it is used.
    public struct Limit: Codable, Sendable, Equatable {
        /// Name, as `--limit` takes it.
        public var name: String
        /// Value in force.
        public var value: Int
        /// Value when nobody sets another.
        public var standard: Int
        /// How much of it is used now, for the one who uses most where it is a limit for each; nil where that has no meaning.
        public var used: Int?
        /// How often it kept something out since the start; nil where that is not counted.
        public var refusals: UInt64?
        /// What it limits.
        public var meaning: String

        init(_ name: ServerLimits.Name, _ value: Int, used: Int? = nil, refusals: UInt64? = nil) {
            self.name = name.rawValue
            self.value = value
            standard = name.standard
            self.used = used
            self.refusals = refusals
            meaning = name.meaning
        }
    }
}
