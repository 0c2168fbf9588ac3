import ByteTools
import DeviceDescription
import Discovery
import Foundation
import IOCOM
import IOCOMTransport
import IOOperator
import IOServer
import Installers
import Programs
import ServerData
import Synchronization

@testable import CandyCommands

/// A module that lives in this process and the operator it connects to.
final class LiveModule {
    static let path = DevicePath(name: "candy", number: 7, network: "cafenet")
    let folder: DataFolder
    let operator_: Operator
    private let lines = Lines()
    private var stop = StopRequest()
    private var life: Task<Void, any Error>?
    private let server: RunningServer?

    /// What was logged.
    var log: [String] { lines.all }

    /// The operator listens itself, or both it and the module connect to a server.
    init(throughServer: Bool = false) async throws {
        folder = DataFolder(NSTemporaryDirectory() + "/candy-\(UUID().uuidString)")
        if throughServer {
            let server = try await Self.startServer(folder.path + "-server")
            self.server = server
            operator_ = try await Operator.connect(
                OperatorConnection(
                    address: server.addresses[0], user: "root", network: "cafenet", password: PasswordText(),
                    trust: TLSClientSettings(trustFile: nil)))
            return
        }
        server = nil
        operator_ = try await Operator.listen(
            OperatorConnection(
                address: ConnectionAddress(transport: .tcp, host: "127.0.0.1", port: 0), user: "root",
                network: "cafenet",
                password: PasswordText(), trust: TLSClientSettings(trustFile: nil)))
    }

    private static func startServer(_ folder: String) async throws -> RunningServer {
        let made = try ServerFolder.create(
            at: folder,
            options: ServerFolderOptions(
                publish: ["cafenet"], hostName: "localhost", isDemo: true, now: Date(),
                cost: ScryptCost(logRounds: 10, blockSize: 8, passes: 1) ?? .standard))
        return try await Server.start(
            ServerConfiguration(
                folder: made.folder, listen: [ConnectionAddress(transport: .tcp, host: "127.0.0.1", port: 0)],
                report: { _ in }))
    }

    /// Switches it on.
    func start(
        _ hardware: ModuleHardware = .esp(.esp32), confirmWithin: Milliseconds = 300_000, ring: Int = 4096,
        pictures: String? = nil, configurationWithin: Milliseconds = 300_000
    ) throws {
        try Folder.makePrivate(folder.path)
        var settings = CandySettings(
            address: .fixed(operator_.address), folder: folder, hardware: hardware, name: "candy", network: "cafenet")
        settings.number = 7
        settings.ring = ring
        settings.downloadRing = ring
        settings.confirmWithin = confirmWithin
        settings.configurationWithin = configurationWithin
        settings.pause = 50...200
        settings.pictures = pictures
        stop = StopRequest()
        let stop = stop
        let lines = lines
        let module = ModuleLife(settings: settings, log: EventLog(json: false) { lines.add($0) }, stop: stop)
        life = Task { try await module.live() }
    }

    /// Switches it off, whatever it is doing; the operator has seen it go when this returns.
    func switchOff() async throws {
        stop.request()
        try await life?.value
        life = nil
        _ = try await operator_.waitForDevice(Self.path, seconds: 120) { $0 == nil ? true : nil }
    }

    /// Ends everything and removes the folder.
    func end() async throws {
        try await switchOff()
        await operator_.close()
        try FileManager.default.removeItem(atPath: folder.path)
        guard let server else { return }
        await server.stop()
        try FileManager.default.removeItem(atPath: folder.path + "-server")
    }

    /// Waits until the device shows a version in a phase.
    func wait(_ phase: UpdatePhase, version: String, seconds: Double = 300) async throws -> UpdateStatus? {
        try await operator_.waitForDevice(Self.path, seconds: seconds) { summary in
            guard let update = summary?.update, update.phase == phase, update.version == version else { return nil }
            return update
        }
    }

    /// Writes a program made for the test.
    func write(
        _ version: String, _ behaviour: ProgramBehaviour = ProgramBehaviour(), project: String = "candy",
        chip: ESPChip = .esp32
    ) async throws -> TransferResult {
        try await operator_.write(
            ArraySource(Self.program(version, behaviour, project: project, chip: chip)), to: 1, of: Self.path
        ) { _ in }
    }

    static func program(
        _ version: String, _ behaviour: ProgramBehaviour = ProgramBehaviour(), project: String = "candy",
        chip: ESPChip = .esp32
    ) -> [UInt8] {
        var builder = ESPImageBuilder(chip: chip, project: project, version: version)
        builder.record = behaviour.record
        builder.data = (0..<30_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        return builder.build()
    }
}

private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}
