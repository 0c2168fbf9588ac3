import ArgumentParser
import Discovery
import Glibc
import IOCOM
import IOCOMTransport
import IOOperator
import TerminalUI

/// How to reach devices: the options that every command shares.
struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Server: tls://host[:6369], tcp://host[:6368] or serial:///dev/ttyUSB0; tls://* looks for one that announces the user's network.",
            valueName: "url"))
    var connect: String?

    @Option(help: ArgumentHelp("Wait here for devices instead of connecting to a server.", valueName: "url"))
    var listen: String?

    @Option(help: ArgumentHelp("User and network to log in with.", valueName: "user.network"))
    var user: String?

    @Option(help: ArgumentHelp("File with the certificates to trust (the server's trust.pem).", valueName: "file"))
    var trust: String?

    @Option(help: ArgumentHelp("File with the password; only its owner may be able to read it.", valueName: "file"))
    var passwordFile: String?

    @Option(help: ArgumentHelp("Saved connection to use.", valueName: "name"))
    var profile: String?

    @Flag(help: "Accept a certificate that does not name the host (certificates of the original do not).")
    var noHostNameCheck = false

    @Flag(help: "Connect although the server's certificate has ended; everything else about it is checked.")
    var allowExpired = false

    @Option(help: ArgumentHelp("Certificate for --listen tls://…", valueName: "file"))
    var certificate: String?

    @Option(help: ArgumentHelp("Private key for --listen tls://…", valueName: "file"))
    var key: String?

    @Option(help: ArgumentHelp("With --listen: how long to wait for devices.", valueName: "seconds"))
    var wait: Int = 10

    @Flag(help: "Print results as JSON.")
    var json = false

    @Flag(name: [.short, .long], help: "Print results only.")
    var quiet = false

    @Flag(name: [.short, .long], help: "Tell more.")
    var verbose = false

    mutating func validate() throws {
        if connect != nil && listen != nil { throw ValidationError("give either --connect or --listen, not both") }
        if wait < 0 || wait > 86_400 { throw ValidationError("--wait must be 0 to 86400 seconds") }
    }

    /// Connects, or listens; `device` is waited for when listening.
    func open(waitingFor device: DevicePath? = nil) async throws -> Operator {
        if listen != nil {
            let access = try await Operator.listen(try listening())
            note("listening on \(access.address)")
            if let device {
                do { _ = try await access.device(device, seconds: Int64(wait)) } catch {
                    await access.close()
                    throw error
                }
            } else {
                try await Task.sleep(for: .seconds(wait))
            }
            return access
        }
        let (server, connection) = try target()
        switch server {
        case .fixed(let address):
            let target = connection(address)
            do { return try await Operator.connect(target) } catch let error as OperatorError {
                throw await CertificateLook.explained(error, target.address, target.trust)
            }
        case .discovered(let query):
            return try await FoundServers.connect(query, note: { if verbose { note($0) } }, connection)
        }
    }

    /// The server and what is demanded of its certificate, for commands that do not log in.
    func server() throws -> (address: ConnectionAddress, trust: TLSClientSettings) {
        let saved = try savedProfile()
        guard case .fixed(let address) = try address(saved, network: NetworkName()) else {
            throw Failure(.usage, "this needs the address of a server, not *; 'ispy discover' lists servers")
        }
        return (address, trustSettings(saved))
    }

    private func savedProfile() throws -> ConnectionProfile? {
        try profile.map { name throws in
            do throws(ProfileError) { return try ProfileStore.standard().profile(name) } catch {
                throw Failure(.usage, String(describing: error))
            }
        }
    }

    private func address(_ saved: ConnectionProfile?, network: NetworkName) throws -> ServerAddress {
        guard let url = listen ?? connect ?? saved?.connect else {
            throw Failure(
                .usage, "say where to connect: --connect tls://HOST, or --profile NAME; 'ispy --help' tells more")
        }
        do throws(ConnectionAddress.ParseError) {
            return try ServerAddress(parsing: url, network: network)
        } catch {
            throw Failure(.usage, error.description)
        }
    }

    private func trustSettings(_ saved: ConnectionProfile?) -> TLSClientSettings {
        TLSClientSettings(
            trustFile: trust ?? saved?.trust,
            verifiesHostName: !noHostNameCheck && saved?.verifiesHostName ?? true,
            isPinned: trust == nil && saved?.isPinned ?? false, allowsExpired: allowExpired)
    }

    /// Opens, runs `body`, and always closes.
    func withOperator<Value>(
        waitingFor device: DevicePath? = nil, _ body: (Operator) async throws -> Value
    ) async throws -> Value {
        let access = try await open(waitingFor: device)
        do {
            let value = try await body(access)
            await access.close()
            return value
        } catch {
            await access.close()
            throw error
        }
    }

    /// Something for a person, on standard error.
    func note(_ text: String) {
        if !quiet && !json { Terminal.write(text + "\n", to: STDERR_FILENO) }
    }

    private func listening() throws -> OperatorConnection {
        let (server, connection) = try target()
        guard case .fixed(let address) = server else { throw Failure(.usage, "--listen takes an address, not *") }
        return connection(address)
    }

    /// Where the server is, and how to connect when that is known.
    private func target() throws -> (ServerAddress, (ConnectionAddress) -> OperatorConnection) {
        let saved = try savedProfile()
        let login = user ?? saved?.user ?? "root.cafenet"
        let parts = login.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let name = UserName(String(parts[0])), !name.isEmpty,
            let network = NetworkName(String(parts[1])), !network.isEmpty
        else { throw Failure(.usage, "--user '\(login)' must be a user and a network, like root.cafenet") }
        let address = try address(saved, network: network)
        var trust = trustSettings(saved)
        if address.transport == .tls {
            do throws(ServerAddressError) { trust = try trust.demanding(of: address) } catch {
                throw Failure(.usage, error.description)
            }
        }
        var password = PasswordText()
        if address.transport == .tls && listen == nil {
            password = try readPassword("Password of \(login) at \(address): ")
        }
        let credentials = certificate.flatMap { certificate in
            key.map { TLSServerSettings(certificateFile: certificate, keyFile: $0) }
        }
        return (
            address,
            { [password, trust] address in
                OperatorConnection(
                    address: address, user: name, network: network, password: password, trust: trust,
                    serverCredentials: credentials)
            }
        )
    }

    private func readPassword(_ prompt: String) throws -> PasswordText {
        do throws(PasswordError) {
            let source = PasswordSource.chosen(file: passwordFile, variable: "ISPY_PASSWORD", prompt: prompt)
            if let text = PasswordText(try source.read().secret) { return text }
        } catch { throw Failure(.noConnection, String(describing: error)) }
        throw Failure(.noConnection, "the password is longer than the 45 bytes the protocol carries")
    }
}

/// A device as an argument: `candy3.cafenet`.
struct DeviceArgument: ExpressibleByArgument {
    let path: DevicePath

    init?(argument: String) {
        guard let path = DevicePath(argument) else { return nil }
        self.path = path
    }
}
