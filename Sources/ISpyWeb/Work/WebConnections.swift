import ByteTools
import Crypto
import IOCOM
import IOCOMTransport
import IOOperator
import NIOCore
import NIOPosix
import PackedJSON
import Synchronization
import TerminalUI

/// A connection to a server, as pages see it.
struct WebConnection: Sendable {
    let id: String
    let address: String
    let user: String
    let profile: String?
    let access: Operator
    /// Why there is no contact now.
    var lostBecause: String?
    var since: Int64

    var json: JSON {
        [
            "id": .string(id), "connect": .string(address), "user": .string(user), "profile": JSON(profile),
            "state": .string(lostBecause == nil ? "connected" : "lost"), "reason": JSON(lostBecause),
            "since": .string(WebTime.text(since)),
        ]
    }
}

/// The servers that this ispy is connected to.
final class WebConnections: Sendable {
    /// Connections at once.
    private static let most = 32
    /// Bytes of a certificate file.
    private static let largestTrust = 256 << 10

    /// All connections, for pages.
    let board = Board<WebConnection>()
    private let profiles: ProfileStore
    /// Certificates that were trusted in the browser.
    private let trustFolder: String
    private let next = Mutex(0)
    private let watching = Mutex<[String: Task<Void, Never>]>([:])
    /// Certificates that servers have shown, by fingerprint: only what was seen can be trusted by it.
    private let shown = Mutex<[String: [UInt8]]>([:])

    init(profiles: ProfileStore, trustFolder: String) {
        self.profiles = profiles
        self.trustFolder = trustFolder
    }

    /// The operator's access over a connection.
    func access(_ id: String) throws -> Operator {
        guard let connection = board[id] else { throw WebError(.notFound, "there is no connection \(id)") }
        return connection.access
    }

    // MARK: Opening

    /// Opens what a request describes.
    func open(_ request: JSON) async throws -> WebConnection {
        guard board.values.count < Self.most else {
            throw WebError(.busy, "there are \(Self.most) connections already; close one first")
        }
        let (target, login, profile) = try target(request)
        let listens = request["listen"]?.flag ?? false
        let access: Operator
        do { access = try await listens ? Operator.listen(target) : Operator.connect(target) } catch {
            throw Self.web(error)
        }
        if let name = request["saveAs"]?.text, !name.isEmpty {
            let saved = ConnectionProfile(
                connect: target.address.description, user: login, trust: target.trust.trustFile,
                isPinned: target.trust.isPinned, verifiesHostName: target.trust.verifiesHostName)
            do { try profiles.save(saved, as: name) } catch {
                await access.close()
                throw WebError(.failed, error.description)
            }
        }
        let id = next.withLock { number in
            number += 1
            return String(number)
        }
        let connection = WebConnection(
            id: id, address: access.address.description, user: login, profile: profile, access: access,
            lostBecause: nil, since: WebTime.now)
        board.set(id, connection)
        watch(connection)
        return connection
    }

    /// Ends a connection.
    func close(_ id: String) async throws {
        let access = try access(id)
        board.remove(id)
        watching.withLock { $0.removeValue(forKey: id) }?.cancel()
        await access.close()
    }

    func closeAll() async {
        for connection in board.values { try? await close(connection.id) }
    }

    private func watch(_ connection: WebConnection) {
        let task = Task { [board] in
            for await change in connection.access.connectionChanges() {
                guard board[connection.id]?.lostBecause != change.lostBecause else { continue }
                board.update(connection.id) {
                    $0.lostBecause = change.lostBecause
                    $0.since = WebTime.now
                }
            }
        }
        watching.withLock { $0[connection.id] = task }
    }

    private static func web(_ error: any Error) -> WebError {
        switch error {
        case let error as WebError: error
        case let error as OperatorError: WebError(error)
        default: WebError(.failed, "\(error)")
        }
    }

    private func target(_ request: JSON) throws -> (OperatorConnection, login: String, profile: String?) {
        var saved: ConnectionProfile?
        let profile = request["profile"]?.text
        if let profile {
            do { saved = try profiles.profile(profile) } catch { throw WebError(.notFound, error.description) }
        }
        guard let url = saved?.connect ?? request["connect"]?.text else {
            throw WebError(.usage, "say where to connect: \"connect\": \"tls://HOST\"")
        }
        let address = try Self.address(url)
        let login = request["user"]?.text ?? saved?.user ?? "root.cafenet"
        let parts = login.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let name = UserName(String(parts[0])), !name.isEmpty,
            let network = NetworkName(String(parts[1])), !network.isEmpty
        else { throw WebError(.usage, "'\(login)' must be a user and a network, like root.cafenet") }
        guard let password = PasswordText(request["password"]?.text ?? "") else {
            throw WebError(.usage, "the password is longer than the protocol carries")
        }
        var trust = TLSClientSettings(
            trustFile: saved?.trust,
            verifiesHostName: request["checkHostName"]?.flag ?? saved?.verifiesHostName ?? true,
            isPinned: saved?.isPinned ?? false)
        if let pem = request["trust"]?["pem"]?.text {
            trust.trustFile = try keep(pem)
            trust.isPinned = false
        } else if let fingerprint = request["trust"]?["fingerprint"]?.text {
            guard let certificate = shown.withLock({ $0[fingerprint] }) else {
                throw WebError(.usage, "no server has shown a certificate with this fingerprint; look at it first")
            }
            trust.trustFile = try keep(PEMText.certificate(certificate))
            trust.isPinned = true
        }
        let target = OperatorConnection(
            address: address, user: name, network: network,
            password: address.transport == .tls ? password : PasswordText(), trust: trust)
        return (target, login, profile)
    }

    private static func address(_ url: String) throws -> ConnectionAddress {
        do { return try ConnectionAddress(parsing: url) } catch { throw WebError(.usage, error.description) }
    }

    /// Writes a certificate where profiles can name it.
    private func keep(_ pem: String) throws -> String {
        guard pem.utf8.count <= Self.largestTrust, pem.contains("-----BEGIN CERTIFICATE-----") else {
            throw WebError(.usage, "this is not a PEM file with certificates (the server's trust.pem)")
        }
        let digest = hexadecimal(Array(SHA256.hash(data: Array(pem.utf8))))
        let path = "\(trustFolder)/\(digest.prefix(32)).pem"
        do throws(StorageFailure) {
            try Folder.makePrivate(trustFolder)
            try ReplacementFile.write(path, Array(pem.utf8))
        } catch { throw WebError(.failed, "the certificate can't be kept: \(error)") }
        return path
    }

    // MARK: Certificates

    /// What a server shows, without trusting it.
    func certificate(of url: String) async throws -> JSON {
        let address = try Self.address(url)
        guard address.transport == .tls else { throw WebError(.usage, "only tls:// servers have a certificate") }
        let chain: [[UInt8]]
        do {
            chain = try await ServerCertificate.fetch(from: address, on: MultiThreadedEventLoopGroup.singleton.next())
        } catch { throw WebError(.noConnection, "\(error)") }
        guard let leaf = chain.first else { throw WebError(.failed, "\(address) shows no certificate") }
        let print = CertificateText.fingerprint(leaf)
        shown.withLock { known in
            if known.count > 1_000 { known = [:] }
            known[print] = leaf
        }
        return try CertificateText.json(leaf)
    }

    // MARK: Profiles

    func profilesJSON() throws -> JSON {
        do {
            return .array(
                try profiles.all().map { entry in
                    [
                        "name": .string(entry.name), "connect": .string(entry.profile.connect),
                        "user": JSON(entry.profile.user), "trusts": .bool(entry.profile.trust != nil),
                    ]
                })
        } catch { throw WebError(.failed, error.description) }
    }

    func removeProfile(_ name: String) throws {
        do { try profiles.remove(name) } catch { throw WebError(.notFound, error.description) }
    }
}
