public import Access
import ByteTools
import DeviceDescription
public import IOCOM
import IONode
import NIOCore
public import ServerData

/// Somebody who was refused and waits to be let in, as a server shows it (application-layer.md 7.7).
public struct WaitingDevice: Sendable, Equatable {
    /// Name that an account would need.
    public let name: String
    /// `NEW DEVICE`, `WRONG PASSWORD` or `NO PASSWORD`.
    public let reason: String
    /// Where it comes from.
    public let address: String
    /// The original's hash of the password it shows.
    public let passwordHash: String
    /// Attempts since it is shown.
    public let attempts: Int
    /// What to compare with the device; nil when this operator is not connected over TLS.
    public let code: PairingCode?

    /// True when an account of this name has another password.
    public var isKnownByAnotherPassword: Bool { reason != Refusal.Reason.newDevice.rawValue }
}

/// The accounts of one network at a server, for administrators.
public struct NetworkAccountsAccess: Sendable {
    /// Network.
    public let network: NetworkName
    private let access: Operator
    private let device: DevicePath

    /// The accounts block of the network, 21 and up.
    private var block: Int { ServerSettings.accountsBlock + Int(device.number) }

    fileprivate init(_ access: Operator, _ network: NetworkName, _ device: DevicePath) {
        self.access = access
        self.network = network
        self.device = device
    }

    /// The accounts as they are now, and their bytes.
    public func read() async throws -> (accounts: Accounts, bytes: [UInt8]) {
        guard
            let bytes = try await access.bytes(ofBlock: block, of: device, limit: ServerFolder.mostAccountsBytes)
        else { throw OperatorError(.failed, "\(device) does not give the accounts of \(network)") }
        do { return (try Accounts(packed: bytes), bytes) } catch {
            throw OperatorError(.failed, "the accounts of \(network) are damaged: \(error)")
        }
    }

    /// Changes the accounts: read, changed, compared with what they are then, written. Hashes are made before anything
    /// travels. Never leaves a network without an administrator.
    public func change(_ body: (inout Accounts) throws -> Void) async throws {
        let (before, bytes) = try await read()
        var after = before
        try body(&after)
        guard after != before else { return }
        guard after.users.contains(where: { $0.role == .admin && $0.password?.isEmpty == false }) else {
            throw OperatorError(
                .failed,
                "network \(network) would be left without an administrator: nobody could change its accounts again")
        }
        let packed = try after.packed()
        guard try await read().bytes == bytes else {
            throw OperatorError(.busy, "somebody else changed the accounts of \(network) meanwhile; try again")
        }
        let result = try await access.write(ArraySource(packed), to: block, of: device) { _ in }
        if let failure = result.failure { throw failure }
    }

    /// The text to store for a password: slow where the server knows slow hashes, else the original's.
    public func protect(_ password: String) async throws -> String {
        guard try await access.access(to: network).role != nil else { return OriginalHash.of(password) }
        return try PasswordHash.protect(password: password)
    }

    /// The text to store for a password of which only the original's hash is known.
    public func protect(hash: String) async throws -> String {
        guard try await access.access(to: network).role != nil, OriginalHash.hasForm(hash) else { return hash }
        return try SlowHash(original: hash, cost: .standard).text
    }

    /// Who waits to be let in.
    public func waiting() async throws -> [WaitingDevice] {
        let certificate = try await access.serverCertificate()
        let readings = try await access.signals(of: device)
        let values = Dictionary(readings.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        return (1...NewDeviceNotifications.rowCount).compactMap { row in
            func text(_ field: String) -> String {
                guard let reading = values["new\(row)_\(field)"], reading.state.contains(.connected),
                    case .text(let text)? = reading.value
                else { return "" }
                return text
            }
            guard !text("name").isEmpty else { return nil }
            var attempts = 0
            if case .integer(let count)? = values["new\(row)_count"]?.value { attempts = Int(clamping: count) }
            let hash = text("password")
            return WaitingDevice(
                name: text("name"), reason: text("text"), address: text("ip"), passwordHash: hash, attempts: attempts,
                code: certificate.map { PairingCode(passwordHash: hash, certificate: $0) })
        }
    }

    /// Waits up to `seconds` for somebody of this name to wait.
    public func waiting(for name: String, seconds: Double) async throws -> WaitingDevice? {
        let clock = ContinuousClock()
        let end = clock.now + .milliseconds(Int64(seconds * 1000))
        while true {
            if let found = try await waiting().first(where: { $0.name == name }) { return found }
            guard clock.now < end else { return nil }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// Lets a device in that waits. A numbered device whose account has another password gets the account only with
    /// `replacing`; devices that share a name without number have an account each.
    public func accept(_ device: WaitingDevice, replacing: Bool) async throws {
        let password = try await protect(hash: device.passwordHash)
        let isNumbered = device.name.utf8.last.map { (0x30...0x39).contains($0) } ?? false
        try await change { accounts in
            let account = Account(user: device.name, password: password, privileges: "")
            guard isNumbered, let index = accounts.users.firstIndex(where: { $0.user == device.name }) else {
                return accounts.users.append(account)
            }
            guard replacing else {
                throw OperatorError(
                    .failed,
                    "\(device.name) has an account with another password: it may have a new secret, or be another device. "
                        + "Compare the code, then give --replace to let this one in instead")
            }
            accounts.users[index].password = password
        }
    }
}

extension Operator {
    /// The certificate that the server showed on this connection, DER; nil on plain connections.
    public func serverCertificate() async throws -> [UInt8]? {
        let session = session
        return try await loop.submit { session.value.serverCertificate }.get()
    }

    /// The accounts of a network; fails when this operator may not manage them, or the server has none for it.
    public func accounts(of network: NetworkName) async throws -> NetworkAccountsAccess {
        let session = session
        let found = try await loop.submit { () -> DevicePath? in
            session.value.devices.keys.first { $0.name == "accounts" && $0.network == network }
        }.get()
        guard let found else {
            let refusal = try await access(to: network).refusal(
                of: .manageAccounts, user: try await userName(), network: "\(network)")
            throw OperatorError(
                refusal == nil ? .deviceNotFound : .notAllowed,
                refusal ?? "the server shows no accounts of network \(network); it may not publish it, or this user "
                    + "is of another network (--user NAME.\(network))")
        }
        return NetworkAccountsAccess(self, network, found)
    }

    private func userName() async throws -> String {
        let session = session
        return try await loop.submit { "\(session.value.target.user)" }.get()
    }
}
