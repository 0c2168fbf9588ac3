import ArgumentParser
import FoundationEssentials
import Glibc
import ServerData
import TerminalUI

/// `frank init`
struct ServerInit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Makes the data folder: certificate authority, certificate, accounts with an administrator.")

    @OptionGroup var data: DataFolderOption
    @Option(help: "The server's own network.") var network = "cafenet"
    @Option(help: "Networks to publish, separated by commas; the own one must be among them. Default: the own one.")
    var publish: String?
    @Option(help: "Device number of the server, 1 to 8998.") var number: UInt32 = 1
    @Option(name: .customLong("host"), help: "Host name or address this server is reached under. May be repeated.")
    var hosts: [String] = []
    @Flag(help: "User root with the password pass, which everybody knows: for demonstrations only.") var demo = false

    func run() throws {
        let path = try data.folder()
        let names = publish?.split(separator: ",").map { $0.trimmingPrefix { $0 == " " } }.map(String.init) ?? []
        let created = try ServerFolder.create(
            at: path,
            options: ServerFolderOptions(
                network: network, publish: names, deviceNumber: number, hostName: Self.hostName(), names: hosts,
                isDemo: demo, now: Date()))
        Terminal.write(Self.report(created), to: STDOUT_FILENO)
    }

    /// What was made, for people.
    static func report(_ created: ServerFolder.Created) -> String {
        let folder = created.folder
        let settings = folder.settings
        let networks = settings.publish.map { "\($0)" }.joined(separator: ", ")
        var lines = [
            "Made the data folder \(folder.path)",
            "  server        frank\(settings.deviceNumber).\(settings.network), networks: \(networks)",
            "  certificate   for \(folder.certificate.names.joined(separator: ", "))",
            "  trust.pem     \(folder.path)/trust.pem: give this file to every device and operator",
            "                SHA-256 \(folder.authority.fingerprint)",
            "  user          root (of each network)",
            "  password      \(created.password)",
        ]
        lines.append(
            settings.isDemo
                ? "WARNING: everybody knows this password. Use this folder for demonstrations only."
                : "The password is stored nowhere: write it down now.")
        let isService = folder.path == DataFolderOption.standard && access("/run/systemd/system", F_OK) == 0
        let next = isService ? "systemctl restart frank" : "frank run --data \(folder.path)"
        return lines.joined(separator: "\n") + "\n\nNext: \(next)\n"
    }

    /// Name of this machine; `localhost` when it has none that a certificate can carry.
    private static func hostName() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        let text = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return (try? ServerNames([text])) != nil ? text : "localhost"
    }
}
