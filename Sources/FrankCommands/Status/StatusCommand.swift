import ArgumentParser
import ByteTools
import FoundationEssentials
import Glibc
import IOServer
import LinuxUpdates
import TerminalUI

/// `frank status`
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows what the running server does: connections, logins, memory, limits.",
        discussion: "Exit code 3 when no server runs on the data folder.")

    /// How long the server may take to answer, seconds.
    private static let patience = 10

    @OptionGroup var data: DataFolderOption
    @Flag(help: "Print one JSON object.") var json = false

    func run() throws {
        let folder = try data.folder()
        let answer = try Self.ask(folder)
        guard let status = try? JSONDecoder().decode(ServerStatus.self, from: Data(answer)) else {
            throw StorageFailure("the answer of the server on \(folder) is of another version; use its own program")
        }
        Terminal.write(
            json
                ? String(decoding: answer, as: UTF8.self) + "\n"
                : StatusReport.text(status, width: Terminal.width(STDOUT_FILENO)), to: STDOUT_FILENO)
    }

    /// Asks the server that runs on `folder`.
    private static func ask(_ folder: String) throws -> [UInt8] {
        do throws(StorageFailure) {
            let socket = try ControlSocket(folder: folder)
            let connection = try LocalConnection.connect(socket.path)
            connection.setTimeout(seconds: patience)
            try connection.send(Array(ControlService.request.utf8))
            if let answer = try connection.readLine() { return answer }
        } catch {
            switch error.systemError {
            case ENOENT, ECONNREFUSED:
                throw NoServer(description: "no frank runs on \(folder); start one with: frank run --data \(folder)")
            case EACCES, EPERM:
                throw NoServer(description: "\(error); run this as the user that frank runs as, or as root")
            case EAGAIN: break
            default: throw NoServer(description: "\(error)")
            }
        }
        throw NoServer(description: "the frank on \(folder) does not answer; look at its log")
    }
}

/// No server answers.
struct NoServer: Error, CustomStringConvertible {
    let description: String
}
