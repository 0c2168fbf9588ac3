import ByteTools
import IOCOM
import IODevice
import NetworkConfiguration

/// The signals `set_nc_…`: gathers what changes until nothing changed for half a second (application-layer.md 6.4). Pure.
///
/// As with commands, values that were taken before the latest restart count again only after they were different, and what
/// is not set in the first seconds after it is no difference: a controller may still be on its way.
struct SettingsWatch {
    /// Signals and what they set.
    static let fields: [(signal: String, field: any WritableKeyPath<NodeSettings, String> & Sendable)] = [
        ("set_nc_nr", \.deviceNumber), ("set_nc_net", \.networkName), ("set_nc_connect", \.connect[0]),
        ("set_nc_wifi", \.wifiNames[0]), ("set_nc_pass", \.wifiPasswords[0]),
    ]
    /// How long nothing may change before it is saved.
    static let rest: Milliseconds = 500

    private var latest: [String: String] = [:]
    /// Fingerprints of what was taken before the restart.
    private var taken: [String: String]
    private var changed: [String: String] = [:]
    private var deadline: Milliseconds?
    private var quarantineEnds: Milliseconds?

    /// `taken` are the fingerprints of the values that were taken before the restart.
    init(taken: [String: String]) { self.taken = taken }

    /// Fingerprints of the latest values, also of those from before the restart. They tell whether a value is the same and no more
    /// than that: there are Wi-Fi passwords among the values, and these notes outlive them.
    var fingerprints: [String: String] { taken.merging(latest.mapValues(Self.fingerprint)) { $1 } }

    private static func fingerprint(_ value: String) -> String { hexadecimal(CRC32.of(Array(value.utf8))) }

    /// Takes what the signals say now; those that nobody set are missing.
    mutating func note(_ values: [String: String], now: Milliseconds) {
        let end = quarantineEnds ?? now + CommandWatch.quarantine
        quarantineEnds = end
        for (signal, _) in Self.fields {
            guard let value = values[signal] else {
                latest[signal] = nil
                if now >= end { taken[signal] = nil }
                continue
            }
            guard latest[signal] != value else { continue }
            latest[signal] = value
            let isTaken = taken.removeValue(forKey: signal) == Self.fingerprint(value)
            if isTaken {
                taken[signal] = Self.fingerprint(value)
                continue
            }
            changed[signal] = value
            deadline = now + Self.rest
        }
    }

    /// What is to be saved, once nothing has changed for a while; `atOnce` does not wait.
    mutating func due(now: Milliseconds, atOnce: Bool = false) -> [String: String]? {
        guard let deadline, atOnce || now >= deadline else { return nil }
        self.deadline = nil
        defer { changed = [:] }
        return changed
    }

    /// Puts values into settings; `*` takes the Wi-Fi values away, as an empty text does with each.
    static func put(_ values: [String: String], into settings: inout NodeSettings) {
        for (signal, field) in fields {
            guard let value = values[signal] else { continue }
            let isWiFi = signal == "set_nc_wifi" || signal == "set_nc_pass"
            settings[keyPath: field] = isWiFi && value == "*" ? "" : value
        }
    }
}
