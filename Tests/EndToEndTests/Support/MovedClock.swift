import Foundation
import UpdateTesting

/// A clock that real programs see and a test moves: a small library between a program and the system's, made with the C
/// compiler that comes with Swift. It moves the time of day only; time spans and waits stay as they are.
final class MovedClock: Sendable {
    /// Tools that intercept more lose the arguments of Swift programs; these few calls are all that tell the time of day.
    private static let source = """
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <stdlib.h>
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <time.h>
        #include <unistd.h>

        static long long offset(void) {
            char text[32] = "";
            const char *path = getenv("MOVED_CLOCK");
            int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
            if (file < 0) return 0;
            if (read(file, text, sizeof text - 1) < 0) text[0] = 0;
            close(file);
            return atoll(text);
        }
        int clock_gettime(clockid_t clock, struct timespec *now) {
            int result = syscall(SYS_clock_gettime, clock, now);
            if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += offset();
            return result;
        }
        int gettimeofday(struct timeval *now, void *zone) {
            struct timespec precise;
            (void)zone;
            if (clock_gettime(CLOCK_REALTIME, &precise) != 0) return -1;
            now->tv_sec = precise.tv_sec;
            now->tv_usec = precise.tv_nsec / 1000;
            return 0;
        }
        time_t time(time_t *result) {
            struct timespec now;
            if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
            if (result) *result = now.tv_sec;
            return now.tv_sec;
        }

        """

    private let file: String
    /// What programs have to be started with.
    let environment: [String: String]

    /// Makes the library in `folder`; the clock is right at first.
    init(in folder: TemporaryFolder) async throws {
        let code = try folder.write("clock.c", Array(Self.source.utf8))
        let library = folder.path + "/clock.so"
        file = try folder.write("clock", Array("0".utf8))
        let result = try await RunningProgram(
            "/usr/bin/env", ["clang", "-shared", "-fPIC", "-O1", "-o", library, code], folder: folder.path
        ).end()
        guard result.status == 0 else { throw Unexpected("no clock: \(result)") }
        environment = ["LD_PRELOAD": library, "MOVED_CLOCK": file]
    }

    /// Sets the clock of all programs so many days from the real time, also of those that run.
    func move(days: Int) throws {
        // Renamed into place: no program may read half of it.
        try Data("\(days * 86_400)".utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
    }
}
