import Bricks
import DeviceDescription
import Discovery
import IOCOM
import IOCOMTransport
import IODevice

/// The memory blocks of candy and the values that its process shows.
enum ModuleSignals {
    /// Booleans of `imp` that are commands.
    static let commands = [
        "reboot", "forget_it", "factory_rst", "cfg_back", "upd_confirm", "upd_rollback",
    ]

    /// What the device tells of itself. Only an updatable device has the update signals: they announce the ability. The
    /// camera's buffer takes pictures of `pictureBuffer` bytes.
    static func info(
        _ settings: CandySettings, updates: UpdateSignals?, pictureBuffer: Int = StandardCamera.buffer
    ) throws(DeviceInfoError) -> DeviceInfo {
        var exported = [
            GroupDefinition(
                "process",
                [
                    SignalDefinition("led", .boolean, parameterFlags: 64),
                    SignalDefinition("brightness", .uchar, unit: "%", minimum: 0, maximum: 100, parameterFlags: 64),
                    SignalDefinition("temperature", .float, unit: "C", minimum: -40, maximum: 85, digits: 1),
                    SignalDefinition("counter", .uint),
                ]),
            StandardSignals.networkConfiguration, StandardSignals.systemSpecification, StandardSignals.resources,
            StandardSignals.configuration,
        ]
        var imported = [
            GroupDefinition(
                "process",
                [
                    SignalDefinition("set_led", .boolean),
                    SignalDefinition("set_brightness", .uchar, unit: "%", minimum: 0, maximum: 100),
                ]),
            StandardSignals.setNetworkConfiguration, StandardSignals.configurationCommands,
        ]
        if let updates {
            exported.append(StandardSignals.update(updates))
            imported.append(StandardSignals.updateCommands)
        }
        return try DeviceInfo(
            name: settings.name.description,
            blocks: [
                BlockDescription("exp", .up, exported), BlockDescription("imp", .down, imported),
                .configurationExport(ring: settings.downloadRing), .configurationImport(ring: settings.ring),
            ] + StandardCamera.blocks(buffer: pictureBuffer), assemblies: [StandardCamera.assembly])
    }

    /// What stays the same during a run.
    static func fixed(_ settings: CandySettings, version: String) -> [(String, SignalValue)] {
        [
            ("si_package", .text(version)), ("si_eosal", .text("swift")), ("si_iocom", .text("swift")),
            ("si_os", .text(settings.hardware.os)), ("si_osver", .text("1")),
            ("si_arch", .text(settings.hardware.architecture)), ("si_hw", .text(settings.hardware.hardware)),
            ("led", .bool(false)), ("brightness", .integer(0)),
        ]
    }

    /// What the process shows `seconds` after the start: a temperature that goes up and down by two degrees a minute.
    static func process(seconds: Int64) -> [(String, SignalValue)] {
        let place = Double(seconds % 60)
        return [
            ("temperature", .number(21 + (place < 30 ? place : 60 - place) / 15)),
            ("counter", .integer(seconds & 0xFFFF_FFFF)),
            ("rm_boottime", .integer(seconds / 60)),
        ]
    }

    /// What the signals `set_nc_…` say; those that nobody set are missing.
    static func wanted(_ blocks: DeviceBlocks) -> [String: String] {
        var values: [String: String] = [:]
        for (signal, _) in SettingsWatch.fields {
            if case .text(let text)? = blocks.value(signal, in: "imp") { values[signal] = text }
        }
        return values
    }

    /// Makes the settings that came in `imp` the values in `exp`.
    static func follow(_ blocks: DeviceBlocks) {
        if let value = blocks.value("set_led", in: "imp") { blocks.set("led", value) }
        if case .integer(let percent)? = blocks.value("set_brightness", in: "imp") {
            blocks.set("brightness", .integer(min(100, percent)))
        }
    }
}
