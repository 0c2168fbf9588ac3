import Foundation
import Synchronization
import UpdateTesting

/// A frank with an honest device and honest operators, who go on with their work while somebody attacks.
final class Siege: Sendable {
    let world: World
    /// The device `candy3.cafenet`, which must not notice anything.
    let candy: RunningProgram
    /// Secret of the device account that the attacker has, `thief1`.
    let thiefFile: String
    private let watcher: RunningProgram
    private let payload: String

    /// Most memory that frank may have had at the end of an attack, KiB: with 16 MiB for each check of a password, and the
    /// buffers of what passes.
    static let mostMemory = 160_000

    private init(
        world: World, candy: RunningProgram, thiefFile: String, watcher: RunningProgram, payload: String
    ) {
        self.world = world
        self.candy = candy
        self.thiefFile = thiefFile
        self.watcher = watcher
        self.payload = payload
    }

    /// The data folder that every siege begins with, made once.
    private static let template = Mutex<TemporaryFolder?>(nil)
    private static let thiefsSecret = Array("secret of thief".utf8)

    /// Accounts of each role of an operator, of devices in both networks, and of the thief.
    private static func makeTemplate() async throws -> String {
        if let made = template.withLock({ $0 }) { return made.path + "/frank" }
        let folder = try TemporaryFolder()
        let honest = try folder.write("honest", World.secret)
        let thief = try folder.write("thief", thiefsSecret)
        for file in [honest, thief] { chmod(file, 0o600) }
        let devices = ["candy*", "gina*", "unit*.asteroidnet"].map { [$0, "--password-file", honest] }
        let people = ["viewer", "operator", "engineer", "admin"].map {
            [$0, "--privileges", $0, "--password-file", honest]
        }
        let others = [
            ["thief*", "--password-file", thief],
            ["engineer", "--network", "asteroidnet", "--privileges", "engineer", "--password-file", honest],
        ]
        let steps =
            [["init", "--demo", "--publish", "cafenet,asteroidnet"]]
            + (devices + people + others).map { ["accounts", "add"] + $0 }
        for arguments in steps {
            let result = try await RunningProgram(
                Place.programs + "/frank", arguments + ["--data", folder.path + "/frank"], folder: folder.path
            ).end()
            guard result.status == 0 else { throw Unexpected("\(result)") }
        }
        template.withLock { $0 = folder }
        return folder.path + "/frank"
    }

    /// Starts everything.
    static func begin(ring: Int = 65_536) async throws -> Siege {
        let world = try await World.start(copying: try await makeTemplate())
        let thiefFile = try world.folder.write("thief", thiefsSecret)
        chmod(thiefFile, 0o600)
        let candy = try await world.candy(3, ["--ring", "\(ring)"])
        let watcher = try world.startISpy(["signals", "candy3.cafenet", "--watch", "--json"])
        try await eventually("signals are shown: \(watcher.report)") { watcher.output.isEmpty ? nil : true }
        var random = SeededGenerator(seed: 21)
        let payload = try world.folder.write("payload", random.bytes(30_000))
        return Siege(world: world, candy: candy, thiefFile: thiefFile, watcher: watcher, payload: payload)
    }

    /// Lets the attack of a script of Peers/ run, and gives what it found. Meanwhile an operator writes block 19 of the
    /// honest device again and again; each time must end well.
    func attack(
        _ script: String, _ name: String, working: Bool = true, stolen: String? = nil, seconds: Double = 120
    ) async throws -> Facts {
        let attacker = try Peer.script(
            script,
            [
                name, "--tls", world.tls, "--tcp", world.tcp, "--ca", world.trust, "--password-file",
                world.passwordFile, "--thief-file", thiefFile, "--server", "\(world.frank.id)",
            ] + (stolen.map { ["--stolen", $0] } ?? []), folder: world.folder.path)
        let end = ContinuousClock.now + .seconds(seconds)
        while working, attacker.status == nil, ContinuousClock.now < end {
            try await work()
            try await Task.sleep(for: .milliseconds(200))
        }
        let result = try await attacker.end(seconds: seconds)
        guard result.status == 0 else { throw Unexpected("\(result)\n\(world.frank.report.suffix(4_000))") }
        return Facts(try result.object(), text: "\(result.output)\(world.frank.report.suffix(4_000))")
    }

    /// One honest transfer.
    func work() async throws {
        let result = try await world.ispy("block", "write", "candy3.cafenet", "19", payload)
        guard result.status == 0 else {
            throw Unexpected("the honest operator could not work: \(result)\n\(world.frank.report.suffix(4_000))")
        }
    }

    /// Ends everything; throws when something was disturbed.
    func end() async throws {
        try await work()
        guard watcher.status == nil else { throw Unexpected("the operator's session ended: \(watcher.report)") }
        // It still sees what happens.
        let lines = watcher.output.count
        let set = try await world.ispy("set", "candy3.cafenet", "set_brightness", "77")
        guard set.status == 0 else { throw Unexpected("\(set)") }
        try await eventually("the watching operator sees a change: \(watcher.report.suffix(2_000))") {
            watcher.output.dropFirst(lines).contains("77") ? true : nil
        }
        watcher.signal(SIGTERM)
        _ = try await watcher.end()
        guard candy.count("not connected: ") == 0, candy.count("connected to") == 1 else {
            throw Unexpected("the device lost its connection: \(candy.report)\n\(world.frank.report.suffix(4_000))")
        }
        guard let memory = world.frank.peakMemory, memory < Self.mostMemory else {
            throw Unexpected("frank took \(world.frank.peakMemory ?? 0) KiB")
        }
        try await world.stop()
    }
}

/// What an attack found: an object of JSON, with paths like `own.gained`.
struct Facts: @unchecked Sendable, CustomStringConvertible {
    private let object: [String: Any]
    let description: String

    init(_ object: [String: Any], text: String) {
        self.object = object
        description = text
    }

    private func value(_ path: String) -> Any? {
        path.split(separator: ".").reduce(object as Any?) { ($0 as? [String: Any])?[String($1)] }
    }

    /// A list of texts; nil when there is none of that name.
    func list(_ path: String) -> [String]? { value(path) as? [String] }
    /// True or false; nil when it is neither.
    func flag(_ path: String) -> Bool? { (value(path) as? NSNumber).map(\.boolValue) }
    /// A number.
    func number(_ path: String) -> Double? { (value(path) as? NSNumber).map(\.doubleValue) }
    /// Names of what is there.
    var names: [String] { object.keys.sorted() }
}
