import ArgumentParser
import ByteTools
import Glibc
import IOCOM
import IOOperator
import NetworkConfiguration
import PackedJSON
import TerminalUI

/// `ispy config edit DEVICE`
struct ConfigEdit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Opens the network configuration of a device in $EDITOR.",
        discussion: "The text is in a file that only you can read, and that is removed afterwards.")

    @Argument(help: ArgumentHelp("Device, like candy3.cafenet.", valueName: "device"))
    var device: DeviceArgument

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var restart: RestartOptions
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let path = device.path
        guard let editor = Environment.editor else {
            throw Failure(.usage, "no editor: set EDITOR to the program that edits texts")
        }
        try await connection.withOperator(waitingFor: path) { access in
            let work = ConfigurationEditor(access, of: path)
            let stored = try await work.read()
            let start = stored.own ?? stored.defaults
            let file = try EditedFile(start.prettyText)
            defer { file.remove() }
            while true {
                try file.edit(with: editor)
                do {
                    let document = try Self.read(file, path)
                    if document == start {
                        return connection.note("nothing changes in the configuration of \(path)")
                    }
                    return try await ConfigReport.store(
                        document, over: stored, of: path, work, connection, restart: restart, dryRun: false, agreed: yes
                    )
                } catch let failure as Failure where failure.code == .failed {
                    connection.note(failure.text)
                    guard Confirmation.isAgreed("Edit again?") else { throw failure }
                }
            }
        }
    }

    private static func read(_ file: EditedFile, _ device: DevicePath) throws -> JSON {
        do { return try JSON(parsing: file.bytes(), limits: NetworkConfiguration.limits) } catch let error
            as JSONTextError
        {
            throw Failure(.failed, "the text is not JSON, and the configuration of \(device) is unchanged: \(error)")
        }
    }
}

/// A text in a private file while an editor is open.
private struct EditedFile {
    private let folder: String
    private var path: String { folder + "/configuration.json" }

    init(_ text: String) throws {
        var name = ((getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp") + "/ispy-XXXXXX").utf8CString
        // mkdtemp makes it for its owner alone.
        let isMade = name.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) } != nil
        }
        guard isMade else { throw Failure(.failed, "no folder can be made for the text: set TMPDIR to one") }
        folder = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        do {
            let file = try File(path, .create)
            try file.write(at: 0, Array(text.utf8))
        } catch { throw Failure(.failed, "\(error)") }
    }

    func remove() {
        // An editor may leave a copy beside it.
        for name in (try? Folder.names(in: folder, limit: 1000).names) ?? [] { try? Folder.remove(name, in: folder) }
        rmdir(folder)
    }

    func bytes() throws -> [UInt8] {
        do {
            let file = try File(path, .read)
            let size = try file.byteCount
            guard size <= 1 << 20 else { throw Failure(.failed, "the text is longer than a configuration can be") }
            return try file.read(at: 0, count: size)
        } catch let error as StorageFailure { throw Failure(.failed, "\(error)") }
    }

    /// Runs the editor at this terminal and waits for it. As with other programs, `EDITOR` may hold arguments.
    func edit(with editor: String) throws {
        let line: [String] = ["/bin/sh", "-c", "\(editor) \"$1\"", "sh", path]
        var words: [UnsafeMutablePointer<CChar>?] = line.map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, "/bin/sh", nil, nil, &words, environ)
        guard code == 0 else {
            throw Failure(.failed, "the editor cannot be started: \(String(cString: strerror(code)))")
        }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        guard status == 0 else { throw Failure(.failed, "the editor '\(editor)' failed; nothing was changed") }
    }
}
