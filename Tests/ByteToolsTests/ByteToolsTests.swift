import ByteTools
import Testing
import UpdateTesting

#if canImport(Glibc)
import Glibc
#endif

@Suite struct ByteToolsTests {
    @Test func `CRC-32 gives the published check value, in one go and in pieces`() {
        let bytes = Array("123456789".utf8)
        #expect(CRC32.of(bytes) == 0xCBF4_3926)
        var crc = CRC32()
        for byte in bytes { [byte].withUnsafeBytes { crc.add($0) } }
        #expect(crc.value == 0xCBF4_3926)
        #expect(CRC32.of(Array("6789".utf8), seed: CRC32.of(Array("12345".utf8))) == 0xCBF4_3926)
    }

    @Test func `Numbers outside of an array are not there`() {
        let bytes: [UInt8] = [1, 2, 3, 4, 5]
        #expect(bytes.number(at: 1, as: UInt32.self) == 0x0504_0302)
        #expect(bytes.number(at: 2, as: UInt32.self) == nil)
        #expect(bytes.number(at: -1, as: UInt8.self) == nil)
        #expect([UInt8]().number(at: 0, as: UInt8.self) == nil)
        #expect(bytes.number(at: .max, as: UInt16.self) == nil)
    }

    @Test func `Text that could harm a terminal is refused`() {
        #expect(Array("abc\0\u{1B}".utf8).text(at: 0, length: 5) == "abc")
        #expect(Array("a\u{1B}[2J".utf8).text(at: 0, length: 5) == nil)
        #expect(Array("abc".utf8).text(at: 1, length: 3) == nil)
    }

    @Test func `Links and pipes are not opened`() throws {
        let folder = try TemporaryFolder()
        _ = try File(folder.path + "/real", .create)
        symlink(folder.path + "/real", folder.path + "/link")
        mkfifo(folder.path + "/pipe", 0o600)
        #expect(throws: StorageFailure.self) { try File(folder.path + "/link", .read) }
        #expect(throws: StorageFailure.self) { try File(folder.path + "/pipe", .read) }
        #expect(throws: StorageFailure.self) { try File(folder.path, .read) }
        #expect(throws: StorageFailure.self) { try File(folder.path + "/real", .create) }
        #expect(Folder.entry(folder.path + "/link") == .link)
        #expect(Folder.entry(folder.path + "/pipe") == .other)
        let missing = #expect(throws: StorageFailure.self) { try File(folder.path + "/missing", .read) }
        #expect(missing?.isNoSuchFile == true)
    }

    @Test func `A folder with too many names is said to be incomplete`() throws {
        let folder = try TemporaryFolder()
        for name in ["a", "b", "c"] { _ = try File(folder.path + "/" + name, .create) }
        #expect(try Folder.names(in: folder.path, limit: 3) == (["a", "b", "c"], true))
        #expect(try Folder.names(in: folder.path, limit: 2).complete == false)
    }

    @Test func `A program runs with a clean environment and gives its status`() throws {
        setenv("IOCOM_TEST_SECRET", "secret", 1)
        let result = try Subprocess.run("/usr/bin/env", [], outputLimit: 10_000, milliseconds: 5000)
        #expect(result.status == 0)
        #expect(String(decoding: result.output, as: UTF8.self) == "PATH=\(Subprocess.searchPath)\nLC_ALL=C\n")
        let failed = try Subprocess.run("/bin/sh", ["-c", "echo no >&2; exit 7"], outputLimit: 99, milliseconds: 5000)
        #expect(failed.status == 7 && failed.errors == Array("no\n".utf8))
    }

    @Test func `What a program says is heard at once, and its questions get empty lines, then an end`() throws {
        var heard: [UInt8] = []
        let result = try Subprocess.run(
            "/bin/sh", ["-c", "read a; read b; echo \"($a$b)\"; read c || echo no >&2"], emptyLines: 2,
            outputLimit: 100,
            milliseconds: 20_000, said: { heard += $0 })
        #expect(result.output == Array("()\n".utf8) && result.errors == Array("no\n".utf8))
        #expect(heard.count == result.output.count + result.errors.count)
    }

    @Test func `A program that leaves a daemon behind with its output has ended all the same`() throws {
        // Who waited for the end of the output would fail when the time is over.
        let result = try Subprocess.run(
            "/bin/sh", ["-c", "sleep 30 & echo started; exit 4"], environment: ["A=b"], outputLimit: 100,
            milliseconds: 20_000)
        #expect(result.status == 4 && result.output == Array("started\n".utf8))
    }

    @Test func `A program that hangs, floods or does not exist is an error`() {
        #expect(throws: StorageFailure.self) {
            try Subprocess.run("/bin/sleep", ["60"], outputLimit: 100, milliseconds: 100)
        }
        #expect(throws: StorageFailure.self) {
            try Subprocess.run("/usr/bin/yes", [], outputLimit: 10_000, milliseconds: 5000)
        }
        #expect(throws: StorageFailure.self) {
            try Subprocess.run("/no/such/program", [], outputLimit: 100, milliseconds: 100)
        }
    }
}
