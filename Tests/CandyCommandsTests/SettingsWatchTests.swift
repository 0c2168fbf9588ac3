import Discovery
import IOCOM
import IOCOMTransport
import IODevice
import NetworkConfiguration
import PackedJSON
import Testing

@testable import CandyCommands

@Suite struct SettingsWatchTests {
    @Test func `What is set is due half a second after the last change`() {
        var watch = SettingsWatch(taken: [:])
        watch.note(["set_nc_nr": "8"], now: 0)
        #expect(watch.due(now: 400) == nil)
        watch.note(["set_nc_nr": "8", "set_nc_net": "cafenet"], now: 400)
        #expect(watch.due(now: 899) == nil)
        #expect(watch.due(now: 900) == ["set_nc_nr": "8", "set_nc_net": "cafenet"])
        watch.note(["set_nc_nr": "8", "set_nc_net": "cafenet"], now: 1000)
        #expect(watch.due(now: 5000) == nil)
        watch.note(["set_nc_nr": "9"], now: 6000)
        #expect(watch.due(now: 6001, atOnce: true) == ["set_nc_nr": "9"])
    }

    @Test func `What was taken before a restart is taken again only after it was different`() {
        var before = SettingsWatch(taken: [:])
        before.note(["set_nc_nr": "8"], now: 0)
        #expect(before.fingerprints.count == 1 && before.fingerprints["set_nc_nr"] != "8")
        var watch = SettingsWatch(taken: before.fingerprints)
        watch.note([:], now: 0)
        watch.note(["set_nc_nr": "8"], now: 100)
        #expect(watch.due(now: 1000) == nil)
        #expect(watch.fingerprints == before.fingerprints)
        watch.note([:], now: 6000)
        watch.note(["set_nc_nr": "8"], now: 6300)
        #expect(watch.due(now: 7000) == ["set_nc_nr": "8"])
    }

    private func configuration(_ document: JSON?, _ settings: NodeSettings? = nil) throws -> ModuleConfiguration {
        let started = CandySettings(
            address: .fixed(ConnectionAddress(transport: .tcp, host: "10.0.0.1")), folder: DataFolder("/nowhere"),
            hardware: .linux,
            name: "candy", network: "cafenet")
        return ModuleConfiguration(
            started, ConfigurationContents(network: try document?.packed(), settings: settings?.bytes))
    }

    @Test func `Without anything stored the command line counts`() throws {
        let plain = try configuration(nil)
        #expect(plain.problem == nil)
        #expect(plain.settings.address.description == "tcp://10.0.0.1:6368")
        #expect(plain.settings.hasAutomaticNumber)
        #expect(plain.shown.signals(stored: plain.shown).first { $0.0 == "nc_nr" }?.1 == .text("*"))
        #expect(plain.shown.connect == "10.0.0.1:6368")
    }

    @Test func `Block 11 counts over block 2 over the command line`() throws {
        var settings = NodeSettings()
        settings.deviceNumber = "9"
        let found = try configuration(
            ["network": ["device_nr": 8, "network_name": "asteroidnet", "device_name": "bean"]], settings)
        #expect(found.settings.number == 9)
        #expect(found.settings.network == "asteroidnet")
        #expect(found.settings.configuredName == "bean")
        #expect(found.settings.name == "candy")
        #expect(found.problem == nil)
    }

    @Test func `What looks for its server looks for one of its network`() throws {
        let found = try configuration([
            "network": ["network_name": "*", "connect": [["transport": "socket", "parameters": "*"]]]
        ])
        #expect(found.settings.address == .discovered(DiscoveryQuery(network: "cafenet", transport: .tcp)))
        #expect(found.shown.connect == "*")
        #expect(found.shown.network == "cafenet*")
    }

    @Test func `A serial line is used as the configuration has it`() throws {
        for (parameters, address) in [
            ("/dev/ttyUSB0", "serial:///dev/ttyUSB0?baud=115200"), ("COM4:19200", "serial://COM4?baud=19200"),
            ("/dev/ttyS1:9600,parity=even", "serial:///dev/ttyS1?baud=9600&parity=even"),
        ] {
            let found = try configuration([
                "network": ["connect": [["transport": "serial", "parameters": .string(parameters)]]]
            ])
            #expect(found.problem == nil)
            #expect(found.settings.address.description == address)
            #expect(found.shown.connect.hasPrefix(parameters))
        }
    }

    @Test(arguments: [
        #"{"network":{"connect":[{"transport":"serial","parameters":"/dev/ttyS1:12345"}]}}"#,
        #"{"network":{"connect":[{"transport":"none"}]}}"#, #"{"network":{"connect":[{"transport":"serial"}]}}"#,
        #"{"network":{"connect":[{"transport":"socket","flags":"listen","parameters":"*:1"}]}}"#,
        #"{"network":{"connect":[{"transport":"tls","parameters":"a"}]}}"#,
        #"{"network":{"connect":[{"transport":"tls","parameters":"*"}]}}"#, #"{"network":{"connect":[]}}"#,
        #"{"network":{"network_name":"a b"}}"#,
        #"{"network":{"password":"0123456789012345678901234567890123456789012345"}}"#,
    ])
    func `What this device cannot do is a problem`(document: String) throws {
        #expect(try configuration(JSON(parsing: document)).problem != nil)
    }
}
