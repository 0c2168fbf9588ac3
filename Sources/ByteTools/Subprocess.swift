#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Runs a program of the system and collects what it says. Blocks its thread; not for an event loop.
public enum Subprocess {
    /// Search path for programs, as the original sets it for its installer (application-layer.md 4.2).
    public static let searchPath = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"

    /// How a program ended.
    public struct Result: Sendable, Equatable {
        /// Exit status; 128 + signal when a signal ended it.
        public let status: Int32
        /// What it wrote to standard output.
        public let output: [UInt8]
        /// What it wrote to standard error.
        public let errors: [UInt8]
    }

    /// How long others may still write to the pipes of a program that has ended, ms. A daemon that it left behind would
    /// hold them for ever.
    private static let outputGrace = 1_000
    /// A pipe holds that much without a reader (pipe(7)).
    private static let mostEmptyLines = 4096
    /// How often it is looked whether a program has ended that has closed nothing, ms.
    private static let glance = 100

    /// Starts `program` (an absolute path) with a clean environment and waits for it.
    ///
    /// The program is killed when it says more than `outputLimit` bytes or runs longer than `milliseconds`. `environment`
    /// holds further variables, each as `NAME=value`. Standard input holds as many empty lines as `emptyLines` says: each
    /// question gets the answer that counts without one. `said` hears at once of what it writes.
    public static func run(
        _ program: String, _ arguments: [String], environment: [String] = [], emptyLines: Int = 0, outputLimit: Int,
        milliseconds: Int, said: (ArraySlice<UInt8>) -> Void = { _ in }
    ) throws(StorageFailure) -> Result {
        precondition((0...mostEmptyLines).contains(emptyLines), "that many lines may not fit into a pipe")
        var pipes: [Int32] = [-1, -1, -1, -1, -1, -1]
        defer { for descriptor in pipes where descriptor >= 0 { close(descriptor) } }
        for index in [0, 2, 4] {
            var pair: [Int32] = [-1, -1]
            guard pipe(&pair) == 0 else { throw File.failure("can't make a pipe for", program) }
            pipes[index] = pair[0]
            pipes[index + 1] = pair[1]
            // Not inherited by other programs that another thread may start meanwhile.
            for descriptor in pair { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
        if emptyLines > 0 {
            let lines = [UInt8](repeating: UInt8(ascii: "\n"), count: emptyLines)
            _ = write(pipes[5], lines, lines.count)
        }
        let child = try spawn(program, arguments, environment, input: pipes[4], output: pipes[1], errors: pipes[3])
        for index in [1, 3, 4, 5] {
            close(pipes[index])
            pipes[index] = -1
        }

        var deadline = now() + milliseconds
        var status: Int32 = 0
        var hasEnded = false
        var texts: [[UInt8]] = [[], []]
        var problem: String?
        var open = [pipes[0], pipes[2]]
        while open.contains(where: { $0 >= 0 }), problem == nil {
            var polls = open.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            let wait = deadline - now()
            guard wait > 0 else {
                if !hasEnded { problem = "\(program) did not end within \(milliseconds) ms" }
                break
            }
            let isQuiet = poll(&polls, nfds_t(polls.count), Int32(truncatingIfNeeded: min(wait, glance))) == 0
            if isQuiet, !hasEnded, waitpid(child, &status, WNOHANG) == child {
                hasEnded = true
                deadline = now() + outputGrace
            }
            for index in polls.indices where open[index] >= 0 && polls[index].revents != 0 {
                var chunk = [UInt8](repeating: 0, count: 4096)
                let got = readSome(open[index], &chunk)
                if got > 0 {
                    texts[index] += chunk[..<got]
                    said(chunk[..<got])
                    if texts[index].count > outputLimit { problem = "\(program) says more than \(outputLimit) bytes" }
                } else if got == 0 || errno != EINTR {
                    open[index] = -1
                }
            }
        }
        if problem != nil, !hasEnded { kill(child, SIGKILL) }
        while !hasEnded {
            if waitpid(child, &status, 0) >= 0 { break }
            guard errno == EINTR else { throw File.failure("can't wait for", program) }
        }
        if let problem { throw StorageFailure(problem) }
        let signal = status & 0x7F
        return Result(
            status: signal == 0 ? status >> 8 & 0xFF : 128 + signal, output: texts[0], errors: texts[1])
    }

    private static func spawn(
        _ program: String, _ arguments: [String], _ variables: [String], input: Int32, output: Int32, errors: Int32
    ) throws(StorageFailure) -> pid_t {
        #if canImport(Darwin)
        var actions: posix_spawn_file_actions_t?
        #else
        var actions = posix_spawn_file_actions_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)

        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        words.append(nil)
        let settings = ["PATH=" + searchPath, "LC_ALL=C"] + variables
        var environment: [UnsafeMutablePointer<CChar>?] = settings.map { strdup($0) }
        environment.append(nil)
        defer { for text in words + environment { free(text) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, program, &actions, nil, &words, &environment)
        guard code == 0 else {
            throw StorageFailure("can't start \(program): \(String(cString: strerror(code)))", systemError: code)
        }
        return child
    }

    private static func readSome(_ descriptor: Int32, _ buffer: inout [UInt8]) -> Int {
        read(descriptor, &buffer, buffer.count)
    }

    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int(time.tv_sec) * 1000 + Int(time.tv_nsec) / 1_000_000
    }
}
