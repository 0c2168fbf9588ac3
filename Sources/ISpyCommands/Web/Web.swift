import ArgumentParser
import IOCOMTransport
import ISpyWeb
import Programs
import TerminalUI

/// `ispy web`
struct Web: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "web",
        abstract: "Serves ispy as a page for the browser.",
        discussion: """
            Without options only this user's browser on this machine can use it. For others give --listen, --certificate, \
            --key and --password-file. Scripts use the API below /api/v1 with the token in the file web-token of the data \
            folder (Authorization: Bearer TOKEN).
            """)

    @Option(help: ArgumentHelp("Where to listen; port 0 takes a free one.", valueName: "address:port"))
    var listen = "127.0.0.1:6380"

    @Option(
        help: ArgumentHelp("Certificate for --listen at other addresses than this machine's own.", valueName: "file"))
    var certificate: String?

    @Option(help: ArgumentHelp("Its private key.", valueName: "file"))
    var key: String?

    @Option(
        help: ArgumentHelp(
            "File with the password of the page; needed at other addresses than this machine's own.",
            valueName: "file"))
    var passwordFile: String?

    @Option(help: ArgumentHelp("Name by which browsers may ask for the page. May be repeated.", valueName: "name"))
    var hostName: [String] = []

    @Option(
        help: ArgumentHelp(
            "Folder for trusted certificates and the token of scripts; else ~/.local/share/iocom/ispy.",
            valueName: "folder"))
    var data: String?

    @OptionGroup var packages: PackagesOption

    func run() async throws {
        let settings = try settings()
        guard settings.isLoopback || (settings.tls != nil && settings.password != nil) else {
            throw Failure(
                .usage,
                "\(settings.host) can be reached from other machines: give --certificate, --key and --password-file, or listen at 127.0.0.1"
            )
        }
        let scheme = settings.tls == nil ? "http" : "https"
        let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
        try await Interrupt.cancelling {
            try await WebServer(settings).run { port in
                Output.line("ispy is at \(scheme)://\(host):\(port)/ (Ctrl-C ends it)")
            }
        } ended: {
        }
    }

    private func settings() throws -> WebSettings {
        guard let colon = listen.lastIndex(of: ":"), let port = UInt16(listen[listen.index(after: colon)...]) else {
            throw Failure(.usage, "--listen \(listen) must be an address and a port, like 127.0.0.1:6380")
        }
        let host = listen[..<colon].filter { $0 != "[" && $0 != "]" }
        let tls = certificate.flatMap { certificate in
            key.map { TLSServerSettings(certificateFile: certificate, keyFile: $0) }
        }
        let password = try passwordFile.map { file throws in
            do throws(PasswordError) { return try PasswordSource.file(path: file).read().secret } catch {
                throw Failure(.usage, String(describing: error))
            }
        }
        let folder = data ?? Environment.variables["HOME"].map { $0 + "/.local/share/iocom/ispy" }
        guard let folder else { throw Failure(.usage, "HOME names no folder; give --data") }
        do throws(ProfileError) {
            return WebSettings(
                host: host, port: Int(port), tls: tls, password: password,
                hostNames: hostName, packages: packages.folder, data: folder, profiles: try ProfileStore.standard(),
                version: InstalledVersion.of("ispy") ?? "development")
        } catch { throw Failure(.failed, String(describing: error)) }
    }
}
