import Glibc

/// Where a password comes from. Never from an argument: arguments are visible to every user of the machine.
public enum PasswordSource: Sendable, Equatable {
    /// A variable of the environment.
    case environment(name: String)
    /// The first line of a file or pipe.
    case file(path: String)
    /// The user, asked with this text at the terminal, without echo.
    case prompt(String)

    /// The source that the user meant: the file when one is named, else the variable when it is set, else the prompt.
    public static func chosen(file: String?, variable: String, prompt: String) -> PasswordSource {
        if let file { return .file(path: file) }
        return Terminal.environment(variable) == nil ? .prompt(prompt) : .environment(name: variable)
    }

    /// Gets the password. The prompt blocks the calling thread until the user answers.
    public func read() throws(PasswordError) -> Password {
        switch self {
        case .environment(let name):
            guard let value = getenv(name) else {
                throw .unusable(source: "variable \(name)", reason: "it is not set")
            }
            let bytes = [UInt8](UnsafeRawBufferPointer(start: value, count: strlen(value)))
            return try Self.password(bytes, source: "variable \(name)")
        case .file(let path):
            return try Self.readFile(path)
        case .prompt(let text):
            let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
            guard terminal >= 0 else { throw .noTerminal }
            defer { close(terminal) }
            return try PasswordPrompt.ask(text, at: terminal)
        }
    }

    private static func readFile(_ path: String) throws(PasswordError) -> Password {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard file >= 0 else { throw .unreadable(FileError("read", path, number: errno)) }
        defer { close(file) }
        // Asked of the open file, so that nobody can exchange it between question and use.
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .unreadable(FileError("read", path, number: errno)) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: guard status.st_mode & (S_IROTH | S_IWOTH) == 0 else { throw .exposed(path: path) }
        case S_IFIFO, S_IFSOCK: break
        default: throw .unreadable(FileError("read", path, reason: "it is neither a file nor a pipe"))
        }
        let bytes: [UInt8]?
        do throws(SystemError) {
            // A line end of two bytes may follow the longest password.
            bytes = try FileBytes.read(from: file, limit: Password.longest + 2)
        } catch {
            throw .unreadable(FileError("read", path, number: error.number))
        }
        guard let bytes else {
            throw .unusable(source: path, reason: "it is longer than \(Password.longest) bytes")
        }
        return try password(bytes, source: path)
    }

    /// What `bytes` hold without the line end; refuses what cannot be typed as a password.
    static func password(_ bytes: [UInt8], source: String) throws(PasswordError) -> Password {
        var bytes = bytes
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        func refuse(_ reason: String) -> PasswordError { .unusable(source: source, reason: reason) }
        guard !bytes.isEmpty else { throw refuse("it is empty") }
        guard bytes.count <= Password.longest else { throw refuse("it is longer than \(Password.longest) bytes") }
        guard !bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw refuse("it holds control characters or more than one line")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw refuse("it is not UTF-8 text") }
        return Password(text)
    }
}
