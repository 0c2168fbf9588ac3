import ArgumentParser
import ByteTools
import Discovery
import Dispatch
import Glibc
import IOCOM
import IOCOMTransport
import Installers
import LinuxUpdates
import Programs
import TerminalUI

/// `candy run`
struct CandyRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Connect to a server and be a device until SIGTERM or SIGINT.",
        discussion: """
            What is given here is what is built in: a network configuration that an operator stores (block 2) and node \
            settings (block 11) count before it.

            The password comes from --password-file or CANDY_PASSWORD. Without either it is made from the device's own \
            secret, which is created at the first start and kept in the data folder.
            """)

    @Option(
        help: """
            Server: tls://host[:6369], tcp://host[:6368] or serial:///dev/ttyUSB0?baud=115200; tls://* or tcp://* (tls://[*] for IPv6) looks for one that \
            announces --network, again at each reconnect.
            """)
    var connect: String
    @Option(help: "Folder of this device; made when missing.") var data: String?
    @Option(
        help: """
            PEM file with the CA certificates to trust, or 'system' for those of the system. Without it this device is paired: \
            it shows a code, and who lets it in at the server gives it the certificates.
            """)
    var trust: String?
    @Option(help: "IO network.") var network = "cafenet"
    @Option(help: "Device number, 1…8999; else the server gives one.") var number: UInt32?
    @Option(help: "Device name without number.") var name = "candy"
    @Option(help: "\(ModuleHardware.names.joined(separator: ", ")).") var hardware = "esp32"
    @Option(help: "Program for a flash that is new; else a built-in one.") var image: String?
    @Option(help: "Buffer for uploads, bytes.") var ring = 65536
    @Option(help: "Buffer for downloads, bytes; else the same.") var frdRing: Int?
    @Option(help: "File with the password to show to the server.") var passwordFile: String?
    @Option(help: "Folder of .jpg files that the camera shows in turn; else a test pattern.") var pictures: String?
    @Option(help: "Seconds a new program has to prove itself.") var confirmWithin = 60
    @Option(help: "Seconds a new configuration has to reach its server; then the last good one is put back.")
    var configurationWithin = 120
    @Option(
        help:
            "Take only packages signed with this key: a file, or a folder of *.pub; else DATA/package-keys if it exists."
    )
    var packageKeys: String?
    @Option(help: "Socket of this machine's installer, for --hardware linux.") var installer: String?
    @Option(help: "Wine prefix with the Windows that programs are installed in, for --hardware windows.")
    var winePrefix: String?
    @Flag(help: "Do not check that the server's certificate names the host.") var noHostNameCheck = false
    @Option(
        help: "What to do when the server's certificate, signed by an authority of --trust, has ended: allow, refuse.")
    var expiredCertificates = ExpiredCertificates.allow
    @Flag(help: "Log as JSON, one object a line.") var jsonLog = false

    /// Whether a certificate may have ended (docs/security.md tells why it may).
    enum ExpiredCertificates: String, ExpressibleByArgument { case allow, refuse }

    /// Buffers beyond this make no transfer faster and cost every node on the way memory (docs/performance.md).
    private static let ringLimits = 16...(4 << 20)

    func validate() throws {
        guard Self.ringLimits.contains(ring), Self.ringLimits.contains(frdRing ?? ring) else {
            throw ValidationError("a buffer has \(Self.ringLimits.lowerBound) to \(Self.ringLimits.upperBound) bytes")
        }
        guard (1...86_400).contains(confirmWithin) else {
            throw ValidationError("--confirm-within takes 1 to 86400 seconds")
        }
        guard (1...86_400).contains(configurationWithin) else {
            throw ValidationError("--configuration-within takes 1 to 86400 seconds")
        }
        guard number.map({ (1..<AutomaticNumber.request).contains($0) }) ?? true else {
            throw ValidationError(
                "--number takes 1 to \(AutomaticNumber.request - 1); leave it out for an automatic number")
        }
    }

    func run() async throws {
        let stop = StopRequest()
        let sources = stop.followSignals()
        defer { for source in sources { source.cancel() } }
        let settings = try makeSettings()
        let log = EventLog(json: jsonLog)
        do {
            let lock = try settings.folder.claim()
            defer { withExtendedLifetime(lock) {} }
            try await ModuleLife(settings: settings, log: log, stop: stop).live()
        } catch let error as CandyError {
            throw error
        } catch {
            throw CandyError(.failed, "\(error)")
        }
    }

    func makeSettings() throws -> CandySettings {
        guard let hardware = ModuleHardware(hardware) else {
            throw ValidationError("--hardware is one of \(ModuleHardware.names.joined(separator: ", "))")
        }
        guard let deviceName = DeviceName(name), Self.isName(name), name.last?.isNumber == false else {
            throw ValidationError("--name takes 1 to 15 letters and does not end with a digit")
        }
        guard let networkName = NetworkName(network), Self.isName(network) else {
            throw ValidationError("--network takes 1 to 23 letters and digits")
        }
        let address: ServerAddress
        do { address = try ServerAddress(parsing: connect, network: networkName) } catch {
            throw ValidationError("--connect: \(error)")
        }
        var settings = CandySettings(
            address: address, folder: data.map { DataFolder($0) } ?? .standard, hardware: hardware, name: deviceName,
            network: networkName)
        settings.number = number ?? AutomaticNumber.request
        settings.ring = ring
        settings.downloadRing = frdRing ?? ring
        if let pictures {
            guard Folder.exists(pictures) else { throw CandyError(.notFound, "\(pictures) is no folder with pictures") }
            settings.pictures = pictures
        }
        settings.confirmWithin = Milliseconds(confirmWithin) * 1000
        settings.configurationWithin = Milliseconds(configurationWithin) * 1000
        settings.password = try readPassword()
        settings.packageKeys = packageKeys
        settings.installer = installer
        if hardware == .windows {
            guard let winePrefix, Folder.exists(winePrefix) else {
                throw ValidationError("--hardware windows needs --wine-prefix with a folder that wineboot made")
            }
            settings.winePrefix = winePrefix
        }
        settings.linuxVersion = InstalledVersion.of(name) ?? CandySettings.builtInVersion
        do { _ = try settings.trustedKeys() } catch {
            throw CandyError(error.isNoSuchFile ? .notFound : .failed, error.description)
        }
        try readTrust(into: &settings)
        if let image { settings.firstProgram = try Self.firstProgram(image, for: hardware) }
        return settings
    }

    private func readTrust(into settings: inout CandySettings) throws {
        settings.allowsExpired = expiredCertificates == .allow
        guard let trust else {
            settings.pairs = true
            return
        }
        let file = trust == "system" ? nil : trust
        let security = TLSClientSettings(
            trustFile: file, verifiesHostName: !noHostNameCheck, allowsExpired: settings.allowsExpired)
        do {
            if settings.address.transport == .tls { _ = try security.demanding(of: settings.address) }
            settings.tls = try security.makeClient()
            // A configuration may look for a server.
            let found = ServerAddress.discovered(DiscoveryQuery(network: settings.network, transport: .tls))
            settings.tlsWhenFound = try? security.makeClient(for: found)
            settings.trustPEM = try file.map { path in
                let file = try File(path, .read)
                return String(decoding: try file.read(at: 0, count: file.byteCount), as: UTF8.self)
            }
        } catch let error as ServerAddressError {
            throw ValidationError("--connect: \(error)")
        } catch {
            throw CandyError(
                .failed, "cannot use the trusted certificates in \(file ?? "the system's store"): \(error)")
        }
    }

    private static func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == 0x5F
            }
    }

    private func readPassword() throws -> PasswordText? {
        guard passwordFile != nil || getenv("CANDY_PASSWORD") != nil else { return nil }
        let password: Password
        do {
            password = try PasswordSource.chosen(file: passwordFile, variable: "CANDY_PASSWORD", prompt: "Password: ")
                .read()
        } catch {
            throw CandyError(.failed, "\(error)")
        }
        guard let text = PasswordText(password.secret) else {
            throw CandyError(.failed, "the password is longer than the 45 bytes that IOCOM can send")
        }
        return text
    }

    /// The bytes of the program in a file, when it is one for the hardware.
    private static func firstProgram(_ path: String, for hardware: ModuleHardware) throws -> [UInt8] {
        do {
            let file = try File(path, .read)
            switch hardware {
            case .esp(let profile): _ = try ESPImage(checking: file, chip: profile.chip)
            case .stm32(let profile): _ = try MicrocontrollerImage(checking: file, for: profile.target())
            case .teensy(let layout): return try TeensyImage(checking: file, board: layout.board).bytes
            case .linux, .windows: throw ValidationError("--image is for hardware with a flash")
            }
            return try file.read(at: 0, count: file.byteCount)
        } catch let wrong as ValidationError { throw wrong } catch let failure as StorageFailure {
            throw CandyError(failure.isNoSuchFile ? .notFound : .failed, failure.description)
        } catch { throw CandyError(.failed, "\(path) is not a program for \(hardware.name): \(error)") }
    }
}
