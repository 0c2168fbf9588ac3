import ByteTools
import DeviceDescription
import IOCOM
import IOCOMTransport
import IOOperator
import Installers
import NetworkConfiguration
import PackedJSON
import Testing

@testable import CandyCommands

/// A device is configured over the network: a real server, real connections, a real flash file.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ConfigurationLifeTests {
    private static let other = DevicePath(name: "candy", number: 8, network: "cafenet")

    private func start(
        _ hardware: ModuleHardware = .esp(.esp32), configurationWithin: Milliseconds = 300_000
    ) async throws -> LiveModule {
        let live = try await LiveModule(throughServer: true)
        try live.start(hardware, configurationWithin: configurationWithin)
        _ = try await live.operator_.device(LiveModule.path, seconds: 120)
        return live
    }

    private func editor(_ live: LiveModule, _ path: DevicePath = LiveModule.path) -> ConfigurationEditor {
        ConfigurationEditor(live.operator_, of: path)
    }

    /// Stores a configuration with one more field, without a restart.
    private func store(_ path: String, _ value: String, _ live: LiveModule) async throws -> ConfigurationEditor.Stored {
        var stored = try await editor(live).read()
        let document = try FieldPath(parsing: path).setting(value, in: stored.editable, defaults: stored.defaults)
        try await editor(live).write(document, inPlaceOf: stored.own)
        stored.own = document
        return stored
    }

    private func wait(
        _ state: ConfigurationStatus.State, _ live: LiveModule, _ path: DevicePath = LiveModule.path
    ) async throws -> ConfigurationStatus? {
        try await live.operator_.waitForDevice(path, seconds: 60) { summary in
            summary?.configuration.flatMap { $0.state == state ? $0 : nil }
        }
    }

    private func text(_ signal: String, _ live: LiveModule, _ path: DevicePath = LiveModule.path) async throws
        -> String?
    {
        let value = try await live.operator_.signals(of: path).first { $0.name == signal }?.value
        guard case .text(let text)? = value else { return nil }
        return text
    }

    /// Waits until the device shows it.
    private func wait(_ signal: String, is wanted: String, _ live: LiveModule, _ path: DevicePath = LiveModule.path)
        async throws
    {
        var seen: String?
        for _ in 0..<1500 {
            seen = try await text(signal, live, path)
            if seen == wanted { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("\(signal) is \(seen ?? "nothing"), not \(wanted): \(live.log)")
    }

    @Test(arguments: [ModuleHardware.esp(.esp32), .linux])
    func `A device comes back under its new number, and can go back`(hardware: ModuleHardware) async throws {
        let live = try await start(hardware)
        #expect(try await wait(.inForce, live) != nil)
        let stored = try await store("network.device_nr", "8", live)
        #expect(try await wait(.saved, live) != nil)
        #expect(try await text("nc_nr", live) == "8^")
        let name = ConfigurationEditor.ExpectedName(stored, now: LiveModule.path)
        #expect(name == ConfigurationEditor.ExpectedName(path: Self.other, isSure: true))
        let outcome = try await editor(live).putInForce(name, seconds: 60)
        #expect(outcome == .inForce(Self.other), "\(live.log)")
        #expect(try await text("nc_nr", live, Self.other) == "8")
        #expect(try await editor(live, Self.other).goBack(seconds: 60) == .inForce(LiveModule.path), "\(live.log)")
        #expect(try await editor(live).read().own == nil)
        try await live.end()
    }

    @Test func `A wrong address is given up for the configuration before`() async throws {
        let live = try await start(configurationWithin: 1500)
        let stored = try await store("network.connect.0.parameters", "127.0.0.1:1", live)
        try await wait("nc_connect", is: "127.0.0.1:1^", live)
        let outcome = try await editor(live).putInForce(
            ConfigurationEditor.ExpectedName(stored, now: LiveModule.path), seconds: 60)
        guard case .putBack(let reason) = outcome else {
            Issue.record("\(outcome) \(live.log)")
            return try await live.end()
        }
        #expect(reason.contains("did not reach tcp://127.0.0.1:1 within 1 s"))
        #expect(try await editor(live).read().own == nil)
        // What failed is nothing to go back to.
        await #expect(throws: OperatorError.self) { try await editor(live).goBack(seconds: 30) }
        // That stays known across restarts, until something else is stored.
        try await editor(live).restart()
        #expect(try await wait(.putBack, live)?.error?.contains("127.0.0.1:1") == true)
        _ = try await store("network.cust1", "x", live)
        #expect(try await wait(.saved, live)?.error == nil)
        try await live.end()
    }

    @Test func `When the first connection fails the next is tried, those that are switched off are not`() async throws {
        let live = try await start()
        var stored = try await editor(live).read()
        let port = live.operator_.address.port
        stored.own = [
            "network": [
                "connect": [
                    ["transport": "none", "parameters": "x:1"],
                    ["transport": "socket", "parameters": "127.0.0.1:1", "flags": "connect,up"],
                    ["transport": "socket", "parameters": .string("localhost:\(port)"), "flags": "connect,up"],
                ]
            ]
        ]
        try await editor(live).write(try #require(stored.own), inPlaceOf: nil)
        let outcome = try await editor(live).putInForce(
            ConfigurationEditor.ExpectedName(stored, now: LiveModule.path), seconds: 60)
        #expect(outcome == .inForce(LiveModule.path), "\(live.log)")
        #expect(live.log.contains { $0.contains("connected to tcp://localhost:\(port)") })
        try await live.end()
    }

    @Test func `Bytes that are no configuration are put back at once`() async throws {
        let live = try await start()
        let result = try await live.operator_.write(ArraySource([1, 2, 3, 4, 5]), to: 2, of: LiveModule.path) { _ in }
        #expect(result.status == .completed)
        #expect(try await wait(.saved, live)?.error?.contains("block 2 is no network configuration") == true)
        try await editor(live).restart()
        #expect(try await wait(.putBack, live)?.error?.contains("block 2 is no network configuration") == true)
        let large = [UInt8](repeating: 0, count: 8193)
        let refused = try await live.operator_.write(ArraySource(large), to: 2, of: LiveModule.path) { _ in }
        #expect(refused.status == .discFull)
        try await live.end()
    }

    @Test func `A change by somebody else is not overwritten, and nothing wrong is stored`() async throws {
        let live = try await start()
        let before = try await editor(live).read()
        _ = try await store("network.cust1", "somebody", live)
        await #expect(throws: OperatorError.self) {
            try await editor(live).write(["network": ["cust1": "me"]], inPlaceOf: before.own)
        }
        await #expect(throws: ConfigurationProblems.self) {
            try await editor(live).write(["network": ["device_nr": 0]], inPlaceOf: ["network": ["cust1": "somebody"]])
        }
        #expect(try await editor(live).read().own == ["network": ["cust1": "somebody"]])
        try await live.end()
    }

    @Test func `Settings set by signals are saved together with a restart, and wrong ones are refused`() async throws {
        let live = try await start()
        try await live.operator_.set("set_nc_nr", to: "70000", of: LiveModule.path)
        let refused = try await live.operator_.waitForDevice(LiveModule.path, seconds: 60) { $0?.configuration?.error }
        #expect(refused?.contains("is not a number from 1 to 8998") == true)
        try await live.operator_.command(
            [("set_nc_nr", "8"), ("set_nc_wifi", "bean24"), ("set_nc_pass", "very secret"), ("reboot", "true")],
            of: LiveModule.path)
        #expect(try await wait(.inForce, live, Self.other) != nil, "\(live.log)")
        #expect(try await text("nc_wifi", live, Self.other) == "bean24")
        #expect(try await text("nc_pass", live, Self.other) == "hidden")
        #expect(!live.log.contains { $0.contains("very secret") })
        // Taken away again.
        try await live.operator_.command([("set_nc_nr", ""), ("set_nc_pass", "*")], of: Self.other)
        try await wait("nc_nr", is: "7^", live, Self.other)
        try await wait("nc_pass", is: "not set^", live, Self.other)
        try await live.end()
    }

    @Test func `A controller that still has reboot set does not restart the device for ever`() async throws {
        let live = try await start()
        func restarts() -> Int { live.log.count { $0.contains("restarting:") } }
        try await live.operator_.set("reboot", to: "true", of: LiveModule.path)
        for _ in 0..<1500 where restarts() == 0 { try await Task.sleep(for: .milliseconds(20)) }
        for _ in 0..<1500 where live.log.count(where: { $0.contains(": connected to") }) < 2 {
            try await Task.sleep(for: .milliseconds(20))
        }
        _ = try await live.operator_.device(LiveModule.path, seconds: 60)
        // What such a controller sends as soon as the device is back. Once something else is obeyed it has been looked at.
        try await live.operator_.set("reboot", to: "true", of: LiveModule.path)
        try await live.operator_.set("set_nc_nr", to: "9", of: LiveModule.path)
        #expect(try await wait(.saved, live) != nil)
        #expect(restarts() == 1)
        try await live.end()
    }

    @Test func `A program on trial is judged with the configuration that works`() async throws {
        let live = try await start(configurationWithin: 1500)
        #expect(try await live.wait(.idle, version: CandySettings.builtInVersion) != nil)
        _ = try await store("network.connect.0.parameters", "127.0.0.1:1", live)
        #expect(try await live.write("240101-1000").status == .completed)
        #expect(try await live.wait(.confirmed, version: "240101-1000") != nil, "\(live.log)")
        #expect(try await wait(.saved, live) != nil)
        // Now the configuration has its own trial, and takes no program with it.
        try await live.operator_.command([("reboot", "true")], of: LiveModule.path)
        #expect(try await wait(.putBack, live) != nil, "\(live.log)")
        #expect(try await live.wait(.confirmed, version: "240101-1000") != nil)
        try await live.end()
    }

    @Test func `A factory reset leaves the program and nothing that was configured`() async throws {
        let live = try await start()
        #expect(try await live.write("240101-1000").status == .completed)
        #expect(try await live.wait(.confirmed, version: "240101-1000") != nil)
        var stored = try await store("network.device_nr", "8", live)
        _ = try await editor(live).putInForce(
            ConfigurationEditor.ExpectedName(stored, now: LiveModule.path), seconds: 60)
        _ = try await live.operator_.write(ArraySource([1, 2, 3]), to: 14, of: Self.other) { _ in }
        try await editor(live, Self.other).tellToRestart("factory_rst")
        #expect(try await wait(.inForce, live) != nil, "\(live.log)")
        stored = try await editor(live).read()
        #expect(stored.own == nil)
        #expect(try await live.operator_.bytes(ofBlock: 14, of: LiveModule.path) == nil)
        #expect(try await live.wait(.confirmed, version: "240101-1000") != nil)
        #expect(live.log.count { $0.contains("a new secret was made") } == 2)
        try await live.end()
    }

    @Test func `A device that forgets makes a new secret and keeps its configuration`() async throws {
        let live = try await start(.linux)
        _ = try await store("network.cust1", "kept", live)
        let secret = try File(live.folder.path + "/persistent-4.dat", .read).read(at: 0, count: 44)
        try await editor(live).tellToRestart("forget_it")
        #expect(try await wait(.inForce, live) != nil, "\(live.log)")
        #expect(try File(live.folder.path + "/persistent-4.dat", .read).read(at: 0, count: 44) != secret)
        #expect(try await editor(live).read().own == ["network": ["cust1": "kept"]])
        try await live.end()
    }
}
