import Foundation
import Testing
import UpdateTesting

extension EndToEnd {
    /// Something ends in the middle of an update, at moments spread over its whole time: the program, the installer, the
    /// package manager, or the machine. Afterwards one of the two versions runs, and the next update works.
    @Suite(.serialized, .tags(.machines), .enabled(if: Machine.isWanted)) struct MachineStops {
        enum Victim: CaseIterable {
            case program, installer, packageManager, machine

            /// A shell command in the machine; nil switches it off.
            var command: String? {
                switch self {
                case .program: "pkill -KILL -x candy || true"
                // The one at work, not the one above it that starts it again.
                case .installer: #"pkill -KILL -f '^/usr/bin/iostart run$' || true"#
                case .packageManager: "pkill -KILL -x 'dpkg|dpkg-deb' || true"
                case .machine: nil
                }
            }
        }

        /// Moments in all: a few that change from run to run, or as many as IOCOM_STOPS says (scripts/stops).
        private static let count = ProcessInfo.processInfo.environment["IOCOM_STOPS"].flatMap { Int($0) } ?? 8

        @Test func `Whatever ends in the middle of an update, one good version runs afterwards`() async throws {
            var tally: [String: Int] = [:]
            for (half, kind) in Machine.Kind.allCases.enumerated() {
                let machine = try await Machine.start(kind)
                try await machine.waitForCandy()
                var packages: [(version: String, path: String)] = []
                for version in ["991201-0000", "991202-0000"] {
                    packages.append((version, try await machine.package("candy", version)))
                }
                // How long an update takes.
                let begin = ContinuousClock.now
                try await machine.write(packages[0].path)
                let whole = (ContinuousClock.now - begin) / .seconds(1)

                let moments = (Self.count + 1 - half) / 2
                for number in 0..<moments {
                    // Each victim in turn, each at its own evenly spread moments with a little chance.
                    let victim = Victim.allCases[(number + half) % Victim.allCases.count]
                    let place = (Double(number) + Double.random(in: 0..<1)) / Double(moments)
                    let result = try await stop(machine, packages, victim, after: place * whole)
                    tally["\(victim), \(result)", default: 0] += 1
                }
                // And an update that nothing interrupts still works.
                let running = try await machine.waitForCandy(seconds: 120).version
                for package in packages where package.version != running {
                    try await machine.write(package.path, ends: 0, "--force")
                }
                try await machine.audit()
                try await machine.remove()
            }
            let text = tally.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: "; ")
            Place.note("\(Self.count) updates of a machine interrupted: \(text)")
        }

        private func stop(
            _ machine: Machine, _ packages: [(version: String, path: String)], _ victim: Victim, after seconds: Double
        ) async throws -> String {
            let before = try await machine.waitForCandy(seconds: 120).version
            guard let next = packages.first(where: { $0.version != before }) else { throw Unexpected("no package") }
            let write = try machine.startISpy(["program", "write", Machine.candy, next.path, "--force"])
            try await Task.sleep(for: .seconds(seconds))
            if let command = victim.command {
                try await machine.shell(command)
            } else {
                try await machine.kill()
                try await machine.boot()
            }
            let after: ProgramState
            do { after = try await machine.waitForCandy(seconds: 120) } catch {
                throw Unexpected("\(machine.kind) \(victim) after \(seconds) s: \(error)")
            }
            // ispy may still wait for a transfer that nobody goes on with.
            write.signal(SIGINT)
            _ = try await write.end(seconds: 30)
            guard packages.contains(where: { $0.version == after.version }) else {
                throw Unexpected("\(machine.kind) \(victim) after \(seconds) s: \(after.version) runs")
            }
            do { try await machine.audit() } catch {
                throw Unexpected("\(machine.kind) \(victim) after \(seconds) s: \(error)")
            }
            return after.version == before ? "the old one runs" : "the new one runs"
        }
    }
}
