import Foundation
import GoldenChecks
import Testing
import UpdateTesting

extension EndToEnd {
    /// The checks of recorded conversations on an emulated RISC-V board: the same source of the core and of the checks, as
    /// Embedded Swift, with the recordings coming over the board's serial line.
    @Suite(.serialized) struct GoldenMachines {
        /// Recordings of the original programs: IOCOM_GOLDEN, or the folder beside the checkout.
        private static let originals = GoldenReport.files(
            in: ProcessInfo.processInfo.environment["IOCOM_GOLDEN"] ?? Place.root + "/../shared/golden")
        /// Recordings of our own machines.
        private static let own = GoldenReport.files(in: Place.root + "/Tests/GoldenTests/Recordings")

        /// A board that runs the checks.
        private struct Board {
            let emulator: RunningProgram
            let machine: RecordedMachine
            let folder: TemporaryFolder
        }

        private func start() async throws -> Board {
            let folder = try TemporaryFolder()
            let build = try RunningProgram(
                Place.root + "/scripts/golden", ["--build-machine"],
                environment: ["HOME": ProcessInfo.processInfo.environment["HOME"] ?? "/root"], folder: folder.path)
            // Only the first build takes long.
            try await eventually("the program for the board: \(build.report)", seconds: 600) { build.status }
            try #require(build.status == 0, "\(build.report)")
            let program = try #require(build.output.split(separator: "\n").last.map(String.init))
            let socket = folder.path + "/serial"
            let emulator = try RunningProgram(
                "/usr/bin/qemu-system-riscv32",
                [
                    "-M", "virt", "-display", "none", "-monitor", "none", "-serial", "unix:\(socket),server=on,wait=on",
                    "-bios", program,
                ], folder: folder.path)
            return Board(emulator: emulator, machine: try RecordedMachine(path: socket), folder: folder)
        }

        @Test func `A board finds every recording as this machine does, and every damage`() async throws {
            let board = try await start()
            #expect(Self.own.count >= 4)
            var frames = 0
            for file in Self.own + Self.originals {
                let recording = try Recording(file: file)
                let report = try GoldenReport(file: file)
                let answer = try board.machine.check(recording)
                #expect(answer == report.answer, "\(file)")
                #expect(answer.first?.hasPrefix("ok ") == true, "\(file): \(answer)")
                frames += report.items
            }
            #expect(frames > 100)

            // The check can fail: what this machine finds wrong in damaged recordings, the board does.
            var random = SeededGenerator(seed: 11)
            var found = 0
            for file in Self.own {
                for _ in 0..<8 {
                    var recording = try Recording(file: file)
                    let piece = Int.random(in: recording.connections[0].indices, using: &random)
                    let at = Int.random(in: recording.connections[0][piece].bytes.indices, using: &random)
                    recording.connections[0][piece].bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                    let report = GoldenReport(name: "damaged", recording: recording)
                    let answer = try board.machine.check(recording)
                    #expect(report.agrees(with: answer), "\(report.answer), the board says \(answer)")
                    if report.answer.first?.hasPrefix("different ") == true { found += 1 }
                }
            }
            #expect(found >= 8, "only \(found) of 32 damaged recordings were noticed")
        }

        @Test func `A board notices when a recording was damaged on the way to it`() async throws {
            let board = try await start()
            let file = try #require(Self.own.first)
            #expect(try board.machine.check(Recording(file: file)).first?.hasPrefix("ok ") == true)
            // A recording begins: kind, length 0, and a checksum that is none.
            try board.machine.send([1, 0, 0, 0, 0, 1, 2, 3, 4])
            #expect(try board.machine.readLine() == "a record was damaged on its way")
        }
    }
}
