import DeviceDescription
import Glibc
import IOCOM
import IOCOMTransport
import PackedJSON
import ServerData

/// What a server tells of itself.
enum ServerDescription {
    /// Blocks of the server's own device. Only what can be updated has commands for that.
    static func server(ring: Int, isUpdatable: Bool) throws(DeviceInfoError) -> DeviceInfo {
        try DeviceInfo(
            name: "frank",
            blocks: [
                BlockDescription(
                    "exp", .up,
                    [
                        StandardSignals.networkConfiguration, StandardSignals.systemSpecification,
                        StandardSignals.resources, StandardSignals.update(isUpdatable ? .withText : .basic),
                        StandardSignals.certificate,
                    ]),
                BlockDescription("imp", .down, isUpdatable ? [StandardSignals.updateCommands] : []),
                .configurationExport(ring: ring), .configurationImport(ring: ring),
            ])
    }

    /// Blocks of a pseudo-device `accounts`; its rows of new devices never pass a cloud connection (application-layer.md 1.2).
    static func accounts() throws(DeviceInfoError) -> DeviceInfo {
        try DeviceInfo(
            name: "accounts",
            blocks: [
                BlockDescription(
                    "exp", [.up, .noCloud], [StandardSignals.newDevices(rows: NewDeviceNotifications.rowCount)]),
                .configurationExport(), .configurationImport(),
            ])
    }

    private static func transport(_ address: ConnectionAddress) -> String {
        switch address.transport {
        case .tls: "tls"
        case .tcp: "socket"
        case .serial: "serial"
        }
    }

    private static func parameters(_ address: ConnectionAddress) -> String {
        if address.transport == .serial { return "\(address.host):\(address.line.baud)" }
        return "\(address.host.contains(":") ? "[\(address.host)]" : address.host):\(address.port)"
    }

    /// Block 3 of the server: its network configuration (application-layer.md 7.1).
    static func defaults(_ settings: ServerSettings, listen: [ConnectionAddress]) throws(PackingError) -> [UInt8] {
        let connections = listen.map { address -> JSON in
            [
                "transport": .string(Self.transport(address)), "parameters": .string(Self.parameters(address)),
                "flags": "listen,down",
            ]
        }
        let network: JSON = [
            "device_nr": .string("\(settings.deviceNumber)"), "network_name": .string(settings.network.description),
            "publish": .string(settings.publish.map { "\($0)" }.joined(separator: ",")), "connect": .array(connections),
        ]
        let document: JSON = ["network": network]
        return try document.packed()
    }
}

/// Facts about this program and machine, for the signals `si_*`.
struct HostFacts {
    /// When this program was built, `YYMMDD-HHMM` in UTC; nil when it can't be told.
    let buildTime: String?
    /// Operating system, its version and the processor.
    let system: (name: String, version: String, machine: String)

    init() {
        var status = stat()
        var parts = tm()
        if stat("/proc/self/exe", &status) == 0, gmtime_r(&status.st_mtim.tv_sec, &parts) != nil {
            let digits = [parts.tm_year % 100, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min]
                .map { $0 < 10 ? "0\($0)" : "\($0)" }
            buildTime = digits[0...2].joined() + "-" + digits[3...4].joined()
        } else {
            buildTime = nil
        }
        var names = utsname()
        guard uname(&names) == 0 else {
            system = ("linux", "", "")
            return
        }
        system = (
            Self.text(names.sysname).lowercased(), String(Self.text(names.release).prefix { $0 != "-" }),
            Self.text(names.machine)
        )
    }

    private static func text<Field>(_ field: Field) -> String {
        withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
