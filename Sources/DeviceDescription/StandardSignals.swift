internal import IOCOM

/// Groups of signals that many devices have, ready to be put into blocks.
public enum StandardSignals {
    /// Device side of streams, for a block `conf_exp` (application-layer.md 1.4). `ring` is the size of the buffer for
    /// data from the device; one byte of it stays free.
    public static func deviceStream(ring: Int = 257) -> GroupDefinition {
        GroupDefinition(
            "conf_transfer",
            [
                SignalDefinition("tod_state", .char), SignalDefinition("tod_err", .uchar),
                SignalDefinition("tod_tail", .int), SignalDefinition("frd_state", .char),
                SignalDefinition("frd_err", .uchar), SignalDefinition("frd_cs", .ushort),
                SignalDefinition("frd_head", .int), SignalDefinition("frd_buf", .uchar, count: Int64(ring)),
            ])
    }

    /// Controller side of streams, for a block `conf_imp` (application-layer.md 1.4). `ring` is the size of the buffer
    /// for data to the device; one byte of it stays free.
    public static func controllerStream(ring: Int = 257) -> GroupDefinition {
        GroupDefinition(
            "conf_transfer",
            [
                SignalDefinition("tod_cmd", .char), SignalDefinition("tod_select", .char),
                SignalDefinition("tod_cs", .ushort), SignalDefinition("tod_head", .int),
                SignalDefinition("tod_buf", .uchar, count: Int64(ring)), SignalDefinition("frd_cmd", .char),
                SignalDefinition("frd_select", .uchar), SignalDefinition("frd_tail", .int),
            ])
    }

    /// The network configuration in use, for `exp` (6.4).
    public static let networkConfiguration = GroupDefinition(
        "net_conf",
        [
            .text("nc_nr", bytes: 8), .text("nc_net", bytes: 25), .text("nc_connect", bytes: 65),
            .text("nc_wifi", bytes: 17), .text("nc_pass", bytes: 17), .text("nc_ip", bytes: 48),
            SignalDefinition("nc_status", .char),
        ])

    /// Changes of the network configuration and commands, for `imp` (6.4).
    public static let setNetworkConfiguration = GroupDefinition(
        "net_conf",
        [
            .text("set_nc_nr", bytes: 7), .text("set_nc_net", bytes: 24), .text("set_nc_connect", bytes: 64),
            .text("set_nc_wifi", bytes: 16), .text("set_nc_pass", bytes: 16), SignalDefinition("reboot", .boolean),
            SignalDefinition("forget_it", .boolean), SignalDefinition("factory_rst", .boolean),
        ])

    /// Program version and machine, for `exp` (6.4). `si_package` is the build time, `200712-1905`.
    public static let systemSpecification = GroupDefinition(
        "sys_specs",
        [
            .text("si_package", bytes: 12), .text("si_eosal", bytes: 7), .text("si_iocom", bytes: 7),
            .text("si_os", bytes: 8), .text("si_osver", bytes: 8), .text("si_arch", bytes: 8),
            .text("si_hw", bytes: 17),
        ])

    /// Memory, sockets and traffic, for `exp` (6.4). Loop times in milliseconds, up time in minutes.
    public static let resources = GroupDefinition(
        "resources",
        ["rm_malloc", "rm_muse", "rm_psalloc"].map { SignalDefinition($0, .uint) }
            + ["rm_threads", "rm_events", "rm_mutexes", "rm_sockets", "rm_connects"].map {
                SignalDefinition($0, .ushort)
            }
            + ["rm_tx_tcp", "rm_rx_tcp", "rm_tx_udp", "rm_rx_udp", "rm_tx_serial", "rm_rx_serial"].map {
                SignalDefinition($0, .long)
            }
            + ["rm_aveloop", "rm_maxloop"].map { SignalDefinition($0, .float, unit: "ms") }
            + [SignalDefinition("rm_boottime", .uint, unit: "min")])

    /// Devices that asked to be let in, for `exp` of the pseudo-device `accounts` (7.7). Signals of row i are called
    /// `new<i>_text` and so on, i from 1.
    public static func newDevices(rows: Int = 3) -> GroupDefinition {
        GroupDefinition(
            "new devices",
            (1...max(1, rows)).flatMap { row -> [SignalDefinition] in
                [
                    .text("new\(row)_text", bytes: 16), .text("new\(row)_name", bytes: 28),
                    .text("new\(row)_password", bytes: 46), .text("new\(row)_privileges", bytes: 16),
                    .text("new\(row)_ip", bytes: 64), SignalDefinition("new\(row)_count", .int),
                ]
            })
    }

    /// State of a program update, for `exp`: an extension that other nodes see as ordinary signals. `upd_keys` is the number
    /// of keys the device trusts; with more than none it takes signed packages only. `upd_text` is what the tool says that
    /// installs the package, its last lines.
    public static func update(_ signals: UpdateSignals) -> GroupDefinition {
        GroupDefinition("update", updateState + (signals == .withText ? [.text("upd_text", bytes: 1_000)] : []))
    }

    /// Where the configuration stands, for `exp`: an extension that other nodes see as ordinary signals. `cfg_state`: 0 in
    /// force, 1 saved and waits for a restart, 2 on trial, 3 the last good one was put back. `cfg_error` is for people.
    public static let configuration = GroupDefinition(
        "config", [SignalDefinition("cfg_state", .char), .text("cfg_error", bytes: 160)])

    /// Command to go back to the last good configuration, for `imp`.
    public static let configurationCommands = GroupDefinition("config", [SignalDefinition("cfg_back", .boolean)])

    private static let updateState: [SignalDefinition] =
        [
            SignalDefinition("upd_state", .char),
            SignalDefinition("upd_progress", .uchar, unit: "%", minimum: 0, maximum: 100),
            .text("upd_version", bytes: 16), .text("upd_previous", bytes: 16), .text("upd_slot", bytes: 12),
            .text("upd_error", bytes: 160), SignalDefinition("upd_keys", .uchar),
        ]

    /// Certificates of a server, for `exp`: days left of its own and of the authority's, negative after the end, and what
    /// there is to say about them.
    public static let certificate = GroupDefinition(
        "certificate",
        [
            SignalDefinition("cert_days", .int, unit: "d"), SignalDefinition("ca_days", .int, unit: "d"),
            .text("cert_text", bytes: 160),
        ])

    /// Commands for a program update, for `imp`.
    public static let updateCommands = GroupDefinition(
        "update", [SignalDefinition("upd_confirm", .boolean), SignalDefinition("upd_rollback", .boolean)])
}

extension BlockDescription {
    /// The block `conf_exp` with a buffer of `ring` bytes for downloads.
    public static func configurationExport(ring: Int = 257) throws(DeviceInfoError) -> BlockDescription {
        try BlockDescription("conf_exp", .up, isConfiguration: true, [StandardSignals.deviceStream(ring: ring)])
    }

    /// The block `conf_imp` with a buffer of `ring` bytes for uploads.
    public static func configurationImport(ring: Int = 257) throws(DeviceInfoError) -> BlockDescription {
        try BlockDescription("conf_imp", .down, isConfiguration: true, [StandardSignals.controllerStream(ring: ring)])
    }
}

/// Which signals for program updates a device has.
public enum UpdateSignals: Sendable {
    /// Those of every device.
    case basic
    /// Also the text of the tool that installs.
    case withText
}
