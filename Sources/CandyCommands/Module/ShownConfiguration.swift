import IOCOM

/// What the signals `nc_…` tell of a configuration (application-layer.md 6.4). A `*` at the end: found automatically.
struct ShownConfiguration: Equatable, Sendable {
    var number = ""
    var network = ""
    var connect = ""
    var wifi = ""
    /// Never shown.
    var wifiPassword = ""
    var ip = "*"

    /// The signals while this is in force and `stored` counts after the next start: `^` marks what is not in force yet.
    func signals(stored: ShownConfiguration) -> [(String, SignalValue)] {
        func text(_ part: (ShownConfiguration) -> String, shown: (String) -> String = { $0 }) -> SignalValue {
            let now = part(self)
            let next = part(stored)
            return .text(now == next ? shown(now) : shown(next) + "^")
        }
        return [
            ("nc_nr", text { $0.number }), ("nc_net", text { $0.network }), ("nc_connect", text { $0.connect }),
            ("nc_wifi", text { $0.wifi }),
            ("nc_pass", text({ $0.wifiPassword }, shown: { $0.isEmpty || $0 == "*" ? "not set" : "hidden" })),
            ("nc_ip", text { $0.ip }),
        ]
    }
}
