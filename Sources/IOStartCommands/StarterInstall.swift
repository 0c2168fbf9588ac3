import ArgumentParser
import ByteTools
import DeviceDescription
import Glibc
import LinuxUpdates
import Programs
import TerminalUI

/// `iostart install PACKAGE`
struct StarterInstall: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install",
        abstract: "Installs a package of an application as an update: with a trial, and a way back.",
        discussion: """
            For root, or for the user of the application. Waits until the new program has proved itself or the old one runs \
            again. Exit status: 0 installed, 1 failed, 3 no starter runs, 4 no such package, 5 refused or rolled back.
            """)

    /// How often it is asked how the trial goes, and how long, s.
    private static let glance: UInt32 = 1
    private static let patience = 3_600

    @OptionGroup var starter: StarterSocket
    @Option(help: ArgumentHelp("Its signed manifest; else PACKAGE.manifest, if there is one.", valueName: "file"))
    var manifest: String?
    @Argument(help: "The package, a .deb file.") var package: String

    func run() throws {
        let application: String
        do { application = try DebianPackage(path: package).package } catch {
            if case .unreadable(let failure) = error, failure.isNoSuchFile {
                throw StarterFailure(status: 4, description: "\(package) does not exist")
            }
            throw StarterFailure(status: 5, description: "\(package): \(error)")
        }
        let client = InstallerClient(path: starter.socket, package: application)
        var lines = HeardLines()
        var reply = try ask { () throws(StorageFailure) in
            try client.install(package, manifest: try manifestBytes(), waits: true) { text in
                for line in lines.hear(text) { Terminal.write("  \(line)\n", to: STDERR_FILENO) }
            }
        }
        for _ in 0..<Self.patience {
            switch reply {
            case .refused(_, let reason): throw StarterFailure(status: 5, description: reason)
            case .state(let state) where state.stage == .idle: return try finish(state)
            case .state, .restarting, .list, .said: break
            }
            sleep(Self.glance)
            reply = try ask { () throws(StorageFailure) in try client.ask(.status) }
        }
        throw StarterFailure(status: 1, description: "\(application) has neither proved itself nor failed; ask again")
    }

    private func ask(_ body: () throws(StorageFailure) -> InstallerReply) throws -> InstallerReply {
        do { return try body() } catch {
            throw StarterFailure(status: 3, description: "no starter answers: \(error)")
        }
    }

    private func manifestBytes() throws(StorageFailure) -> [UInt8]? {
        let beside = SignedManifest.path(of: package)
        guard let path = manifest ?? (Folder.entry(beside) == nil ? nil : beside) else { return nil }
        let file = try File(path, .read)
        return try file.read(at: 0, count: min(try file.byteCount, SignedManifest.longest + 1))
    }

    private func finish(_ state: InstallerState) throws {
        let version = state.version ?? "nothing"
        guard state.result == .confirmed else {
            throw StarterFailure(status: 5, description: "\(version) runs: \(state.reason)")
        }
        Terminal.write("\(version) runs and has proved itself\n", to: STDOUT_FILENO)
    }
}
