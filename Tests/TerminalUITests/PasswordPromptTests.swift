import Glibc
import Testing

@testable import TerminalUI

@Suite("Password prompt")
struct PasswordPromptTests {
    private func typed(_ keys: [UInt8]) -> HiddenLine.Outcome {
        var line = HiddenLine()
        for key in keys {
            let outcome = line.type(key)
            if outcome != .more { return outcome }
        }
        return .more
    }

    @Test("editing keys work on whole characters")
    func editing() {
        #expect(typed(Array("pass\r".utf8)) == .done(Array("pass".utf8)))
        #expect(typed(Array("pä".utf8) + [0x7F] + Array("ass\n".utf8)) == .done(Array("pass".utf8)))
        #expect(typed([0x7F, 0x08] + Array("a\n".utf8)) == .done(Array("a".utf8)))
        #expect(typed(Array("wrong".utf8) + [0x15] + Array("a\n".utf8)) == .done(Array("a".utf8)))
        #expect(typed(Array("pas".utf8) + [0x03]) == .cancelled)
        #expect(typed([0x04]) == .cancelled)
        #expect(typed([0x61, 0x04]) == .more)
    }

    @Test("memory stays bounded when somebody leans on the keyboard")
    func endlessLine() {
        let outcome = typed([UInt8](repeating: 0x61, count: 100_000) + [0x0A])
        #expect(outcome == .done([UInt8](repeating: 0x61, count: Password.longest + 1)))
    }

    @Test("at a real terminal the question shows, the answer does not, and the echo comes back")
    func terminal() throws {
        let (answer, shown, echoAfter) = try conversation(keys: Array("s3cret\r".utf8))
        #expect(try answer.get().secret == "s3cret")
        #expect(shown.contains("Password: ") && !shown.contains("s3cret"))
        #expect(echoAfter)
    }

    @Test("Ctrl-C at a real terminal cancels and brings the echo back")
    func cancelled() throws {
        let (answer, _, echoAfter) = try conversation(keys: Array("s3".utf8) + [0x03])
        #expect(throws: PasswordError.cancelled) { try answer.get() }
        #expect(echoAfter)
    }

    @Test("what is no terminal cannot be asked")
    func noTerminal() throws {
        let file = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(file) }
        #expect(throws: PasswordError.noTerminal) { try PasswordPrompt.ask("Password: ", at: file) }
    }

    /// Asks at a pseudo terminal and types `keys` when the question has appeared.
    private func conversation(
        keys: [UInt8]
    ) throws -> (answer: Result<Password, PasswordError>, shown: String, echoAfter: Bool) {
        // What openpty(3) does, which Swift does not import: unlock the terminal (TIOCSPTLCK), ask for its number
        // (TIOCGPTN).
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(master >= 0)
        defer { close(master) }
        var (locked, number): (Int32, UInt32) = (0, 0)
        try #require(ioctl(master, 0x4004_5431, &locked) == 0)
        try #require(ioctl(master, 0x8004_5430, &number) == 0)
        let terminal = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(terminal >= 0)
        defer { close(terminal) }
        let question = Question(terminal: terminal)
        var thread = pthread_t()
        // A thread of its own: the question blocks, and Swift's own threads are as few as the machine's cores.
        let started = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Question>.fromOpaque(argument).takeUnretainedValue().ask() }
                return nil
            }, Unmanaged.passUnretained(question).toOpaque())
        try #require(started == 0)
        var shown: [UInt8] = []
        for _ in 0..<100 where !String(decoding: shown, as: UTF8.self).contains("Password: ") {
            shown += readAvailable(master)
        }
        #expect(FileBytes.write(keys, to: master))
        pthread_join(thread, nil)
        shown += readAvailable(master)
        var settings = termios()
        try #require(tcgetattr(terminal, &settings) == 0)
        let echoes = settings.c_lflag & tcflag_t(ECHO) != 0
        return (try #require(question.answer), String(decoding: shown, as: UTF8.self), echoes)
    }

    private func readAvailable(_ descriptor: Int32) -> [UInt8] {
        var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&ready, 1, 100) == 1 else { return [] }
        var buffer = [UInt8](repeating: 0, count: 1024)
        let count = read(descriptor, &buffer, buffer.count)
        return Array(buffer.prefix(max(0, count)))
    }
}

/// A question that a thread asks; its answer is read after the thread has ended.
private final class Question {
    let terminal: Int32
    var answer: Result<Password, PasswordError>?

    init(terminal: Int32) { self.terminal = terminal }

    func ask() {
        answer = Result { () throws(PasswordError) in try PasswordPrompt.ask("Password: ", at: terminal) }
    }
}
