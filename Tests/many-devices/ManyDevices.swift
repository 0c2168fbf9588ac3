import ArgumentParser
import DeviceDescription
import DeviceStorage
import Foundation
import IOCOM
import IOCOMTransport
import IODevice
import IONode
import NIOCore
import NIOPosix

/// Devices by the thousand, each with a connection of its own, and one whose signals change all the time.
@main
struct ManyDevices: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "many-devices", abstract: "Connects many small devices to a server until it is ended.")

    @Option(help: "Server.") var connect: String
    @Option(help: "Its trust.pem.") var trust: String
    @Option(help: "File with the password of all.") var passwordFile: String
    @Option(help: "How many.") var count = 1
    @Option(help: "Number of the first.") var first: UInt32 = 1
    @Option(help: "Signals of the first one.") var signals = 1
    @Option(help: "Changes of all its signals in a second.") var rate = 0
    @Option(help: "Ring of each, bytes.") var ring = 257
    @Flag(help: "All have the signals that every device has.") var standard = false
    @Flag(help: "The first one has names and texts that a page could take for its own.") var hostile = false

    /// What the names and texts of a hostile device hold.
    static let attack = "<img src=x onerror=pwned=1>"

    func run() async throws {
        let address = try ConnectionAddress(parsing: connect)
        let tls = try TLSClientSettings(trustFile: trust).makeClient()
        let text = try String(contentsOfFile: passwordFile, encoding: .utf8).trimmingCharacters(in: .newlines)
        guard let password = PasswordText(text), count > 0, signals > 0, (0...100).contains(rate) else {
            throw ValidationError("count, signals, rate or password can't be used")
        }
        let server = ServerConnection(address: address, tls: tls, password: password)
        let folder = NSTemporaryDirectory() + "many-devices-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        for index in 0..<count {
            let info = try index == 0 ? loud() : quiet()
            let number = first + UInt32(index)
            let store = try FilePersistentStore(folder: folder)
            let isLoud = index == 0
            let rate = rate
            let names = (0..<signals).map { "s\($0)" }
            try await loop.submit {
                let device = try Device(
                    identity: NodeIdentity(name: "load", number: number, network: "cafenet"), info: info,
                    service: DeviceBlockService(store: store, defaults: [], installer: nil), server: server,
                    commands: [], on: loop)
                device.update { blocks in
                    blocks.set("si_package", .text("261101-0800"))
                    blocks.set("si_os", .text("linux"))
                    if isLoud { blocks.set("note", .text(Self.attack)) }
                }
                device.start()
                let kept = NIOLoopBound(Kept(device), eventLoop: loop)
                let pause = isLoud && rate > 0 ? TimeAmount.milliseconds(1000 / Int64(rate)) : .hours(1)
                loop.scheduleRepeatedTask(initialDelay: pause, delay: pause) { _ in
                    guard isLoud else { return }
                    kept.value.turn += 1
                    let turn = kept.value.turn
                    kept.value.device.update { blocks in
                        for (index, name) in names.enumerated() {
                            blocks.set(name, .integer(turn &* 7 &+ Int64(index)))
                        }
                    }
                }
            }.get()
            // Logins take their time on the server.
            if index % 50 == 49 { try await Task.sleep(for: .milliseconds(50)) }
        }
        print("all \(count) devices were started")
        fflush(nil)
        while !Task.isCancelled { try await Task.sleep(for: .seconds(3600)) }
    }

    /// A device that lives as long as the program.
    private final class Kept {
        let device: Device
        var turn: Int64 = 0
        init(_ device: Device) { self.device = device }
    }

    private func quiet() throws -> DeviceInfo {
        let all = [
            StandardSignals.networkConfiguration, StandardSignals.systemSpecification, StandardSignals.resources,
            StandardSignals.update(.basic),
        ]
        return try DeviceInfo(
            name: "load",
            blocks: [
                BlockDescription("exp", .up, standard ? all : [StandardSignals.systemSpecification]),
                BlockDescription("imp", .down, []),
                .configurationExport(ring: ring), .configurationImport(ring: ring),
            ])
    }

    private func loud() throws -> DeviceInfo {
        let group = hostile ? Self.attack : "values"
        var values = (0..<signals).map { SignalDefinition("s\($0)", .int, unit: hostile ? Self.attack : "") }
        values.append(.text("note", bytes: 60))
        if hostile { values.append(SignalDefinition(Self.attack, .int)) }
        return try DeviceInfo(
            name: hostile ? "<b>load</b>" : "load",
            blocks: [
                BlockDescription("exp", .up, [GroupDefinition(group, values), StandardSignals.systemSpecification]),
                BlockDescription("imp", .down, []), .configurationExport(ring: ring), .configurationImport(ring: ring),
            ])
    }
}
