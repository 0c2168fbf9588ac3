import Glibc
import Testing

@testable import TerminalUI

@Suite("Passwords")
struct PasswordSourceTests {
    @Test("a password never shows in descriptions, dumps or interpolation")
    func redaction() {
        let password = Password("s3cret")
        var dumped = ""
        dump(password, to: &dumped)
        #expect(!"\(password) \(String(reflecting: password)) \(dumped) \([password])".contains("s3cret"))
        #expect(password.secret == "s3cret")
    }

    @Test("a private file gives its line without the line end")
    func files() throws {
        let folder = try TemporaryFolder()
        for (name, content, expected) in [
            ("lf", "pass\n", "pass"), ("crlf", "pass\r\n", "pass"), ("none", "pass", "pass"),
            ("spaces", " pä ss \n", " pä ss "),
        ] {
            let path = try folder.write(name, Array(content.utf8), mode: 0o600)
            #expect(try PasswordSource.file(path: path).read().secret == expected)
        }
        let longest = String(repeating: "x", count: Password.longest)
        let path = try folder.write("longest", Array((longest + "\r\n").utf8), mode: 0o400)
        #expect(try PasswordSource.file(path: path).read().secret == longest)
    }

    @Test(
        "a file that others can read or change is refused, with what to do",
        arguments: [0o644, 0o604, 0o602] as [mode_t])
    func exposedFiles(mode: mode_t) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("open", Array("pass\n".utf8), mode: mode)
        let error = #expect(throws: PasswordError.exposed(path: path)) { try PasswordSource.file(path: path).read() }
        #expect(error?.description.contains("chmod 600") == true)
    }

    @Test("what cannot be a password is refused without showing it")
    func unusable() throws {
        let folder = try TemporaryFolder()
        let contents: [(String, [UInt8])] = [
            ("empty", []), ("only-line-end", [0x0A]), ("two-lines", Array("secret\nsecond\n".utf8)),
            ("zero", Array("secret\0".utf8)), ("not-utf8", [0x73, 0xFF, 0xFE]),
            ("too-long", [UInt8](repeating: 0x78, count: Password.longest + 1)),
            ("huge", [UInt8](repeating: 0x78, count: 100_000)),
        ]
        for (name, content) in contents {
            let path = try folder.write(name, content, mode: 0o600)
            let error = #expect(throws: PasswordError.self) { try PasswordSource.file(path: path).read() }
            guard case .unusable = error else {
                Issue.record("\(name): \(String(describing: error))")
                continue
            }
            #expect(error?.description.contains("secret") == false)
        }
    }

    @Test("missing files, folders and devices are refused")
    func unreadable() throws {
        let folder = try TemporaryFolder()
        for path in [folder.path + "/missing", folder.path, "/dev/null"] {
            let error = #expect(throws: PasswordError.self) { try PasswordSource.file(path: path).read() }
            guard case .unreadable(let reason) = error else {
                Issue.record("\(path): \(String(describing: error))")
                continue
            }
            #expect(reason.path == path)
        }
    }

    @Test("a named file wins over the variable, the variable over the prompt")
    func choice() throws {
        let name = "IOCOM_TEST_PASSWORD_\(getpid())"
        #expect(PasswordSource.chosen(file: nil, variable: name, prompt: "?") == .prompt("?"))
        setenv(name, "from variable", 1)
        defer { unsetenv(name) }
        #expect(PasswordSource.chosen(file: "f", variable: name, prompt: "?") == .file(path: "f"))
        let source = PasswordSource.chosen(file: nil, variable: name, prompt: "?")
        #expect(source == .environment(name: name))
        #expect(try source.read().secret == "from variable")
        setenv(name, "", 1)
        #expect(throws: PasswordError.self) { try source.read() }
    }
}
