public import DeviceDescription
import IOCOM
import PackedJSON

/// What the firmware's device tells of itself, and the Swift source that firmware is built with: a microcontroller has no
/// room to compose it (docs/firmware.md).
public enum FirmwareDescription {
    /// Application and device name.
    public static let application = "blink"
    /// Elements of the upload ring: 1 KiB of data and the one that stays free.
    public static let uploadRing = 1025
    /// Elements of the download ring.
    public static let downloadRing = 257

    /// The blocks and their signals.
    public static func info() throws(DeviceInfoError) -> DeviceInfo {
        try DeviceInfo(
            name: application,
            blocks: [
                BlockDescription(
                    "exp", .up,
                    [
                        GroupDefinition(
                            "blink",
                            [
                                SignalDefinition("led", .boolean, parameterFlags: 64),
                                SignalDefinition("counter", .uint), SignalDefinition("uptime", .uint, unit: "s"),
                            ]),
                        StandardSignals.systemSpecification, StandardSignals.resources, StandardSignals.update(.basic),
                    ]),
                BlockDescription(
                    "imp", .down,
                    [
                        GroupDefinition("blink", [SignalDefinition("set_led", .boolean)]),
                        GroupDefinition("net_conf", [SignalDefinition("reboot", .boolean)]),
                        StandardSignals.updateCommands,
                    ]),
                .configurationExport(ring: downloadRing), .configurationImport(ring: uploadRing),
            ])
    }

    /// The source `DeviceLayout.swift` of the module FirmwareDevice.
    public static func source() throws(DeviceInfoError) -> String {
        let info = try info()
        var text = """
            // Made by `swift run firmware-info` from FirmwareDescription. Not edited by hand; a test compares.

            /// Sizes of the device's blocks and places of its signals.
            enum DeviceLayout {

            """
        for block in info.blocks where !block.isConfiguration {
            text += "    /// `\(block.name)`\n    enum \(block.name.capitalized) {\n"
            text += "        static let size = \(block.size)\n"
            for signal in block.signals {
                let place = signal.signal
                let kind = place.type == .str ? "text(at: \(place.address), count: \(place.count))" : number(place)
                text += "        static let \(name(signal.name)) = DeviceSignal.\(kind)\n"
            }
            text += "    }\n\n"
        }
        let packed = try info.packed()
        text += "    /// Content of the `info` block.\n"
        text += "    static let info: InlineArray<\(packed.count), UInt8> = [\n"
        for start in stride(from: 0, to: packed.count, by: 16) {
            let line = packed[start..<min(start + 16, packed.count)].map(String.init).joined(separator: ", ")
            text += "        \(line),\n"
        }
        return text + "    ]\n}\n"
    }

    private static func number(_ place: Signal) -> String {
        "number(at: \(place.address), width: \(place.type == .boolean ? 0 : place.type.size))"
    }

    /// `si_os` as a Swift name: `siOs`.
    private static func name(_ signal: String) -> String {
        let parts = signal.split(separator: "_")
        return parts.dropFirst().reduce(String(parts.first ?? "")) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
    }
}

extension String {
    fileprivate var capitalized: String { prefix(1).uppercased() + dropFirst() }
}
