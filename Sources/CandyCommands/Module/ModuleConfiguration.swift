import Discovery
import IOCOM
import IOCOMTransport
import IODevice
import NetworkConfiguration
import PackedJSON

/// What the stored configuration of a module makes of what it was started with: node settings (block 11) over network
/// configuration (block 2) over what is built in.
struct ModuleConfiguration: Sendable {
    /// What the module runs with.
    private(set) var settings: CandySettings
    /// What the signals `nc_…` show.
    private(set) var shown = ShownConfiguration()
    /// Why a stored block cannot be used; nil when all of it is.
    private(set) var problem: String?
    /// What of it this device cannot do, for the log.
    private(set) var notes: [String] = []

    private let started: CandySettings

    /// Reads `contents` for a module that was started with `settings`.
    init(_ settings: CandySettings, _ contents: ConfigurationContents) {
        self.settings = settings
        started = settings
        var merged = settings.builtIn
        if let bytes = contents.network, !bytes.isEmpty {
            do throws(UnpackingProblem) { merged = try Self.unpack(bytes).over(merged) } catch {
                problem = "block 2 is no network configuration (\(error.text)); what is built in is used"
            }
        }
        if let bytes = contents.settings, !bytes.isEmpty {
            do throws(FieldProblem) { merged = try NodeSettings(reading: bytes).over(merged) } catch {
                problem = problem ?? "the node settings cannot be used: \(error)"
            }
        }
        takeIdentity(merged)
        takeConnections(merged)
        takeRest(merged)
    }

    private struct UnpackingProblem: Error { let text: String }

    private static func unpack(_ bytes: [UInt8]) throws(UnpackingProblem) -> NetworkConfiguration {
        do { return try NetworkConfiguration(unpacking: bytes) } catch { throw UnpackingProblem(text: "\(error)") }
    }

    // MARK: Fields

    private mutating func takeIdentity(_ merged: NetworkConfiguration) {
        if let text = merged.deviceName, text != started.name.description {
            if FieldRule.deviceName.problem(with: .string(text)) == nil, let name = DeviceName(text) {
                settings.configuredName = name
            } else {
                notes.append("the configured device name is not used: it is no name")
            }
        }
        if let number = merged.deviceNumber { settings.number = number.loginNumber }
        if let text = merged.networkName, text != "*" {
            if FieldRule.isNetworkName(text), let network = NetworkName(text) {
                settings.network = network
            } else {
                problem = problem ?? "the configured network name is no name"
            }
        }
        if let text = merged.password, !text.isEmpty, text != "*", text != "auto" {
            if let password = PasswordText(text) {
                settings.password = password
            } else {
                problem = problem ?? "the configured password is longer than the 45 bytes that IOCOM can send"
            }
        }
        shown.number = settings.hasAutomaticNumber ? "*" : String(settings.number)
        shown.network = settings.network.description + (merged.networkName == "*" ? "*" : "")
    }

    private mutating func takeConnections(_ merged: NetworkConfiguration) {
        var addresses: [ServerAddress] = []
        for (index, connection) in (merged.connections ?? []).enumerated() {
            do throws(UnusableConnection) {
                if let found = try address(connection) { addresses.append(found) }
            } catch {
                notes.append("connection \(index + 1) is not used: \(error.reason)")
            }
        }
        guard let first = addresses.first else {
            let reasons = notes.isEmpty ? "all are switched off" : notes.joined(separator: "; ")
            problem = problem ?? "no connection that this device can make: \(reasons)"
            shown.connect = started.address.parameters
            return
        }
        settings.address = first
        settings.otherAddresses = Array(addresses.dropFirst())
        shown.connect = first.parameters
    }

    private struct UnusableConnection: Error { let reason: String }

    private func address(
        _ connection: NetworkConfiguration.Connection
    ) throws(UnusableConnection) -> ServerAddress? {
        let transport: ConnectionAddress.Transport
        switch connection.transport {
        case .none: return nil
        case .serial:
            guard connection.role != .listen else { throw UnusableConnection(reason: "this device does not listen") }
            do throws(ConnectionAddress.ParseError) {
                return .fixed(try SerialTarget(parsing: connection.parameters).address)
            } catch { throw UnusableConnection(reason: error.description) }
        case .bluetooth:
            throw UnusableConnection(reason: "this device has no \(connection.transport.rawValue)")
        case .tls: transport = .tls
        case .socket: transport = .tcp
        }
        guard connection.role != .listen else { throw UnusableConnection(reason: "this device does not listen") }
        guard transport == .tcp || started.tls != nil else {
            throw UnusableConnection(reason: "this device has no certificates for TLS")
        }
        switch ConnectTarget(connection.parameters) {
        case .host(let host, let port)?:
            return .fixed(ConnectionAddress(transport: transport, host: host, port: port))
        case .discover(let ipv6)?:
            guard transport == .tcp || started.tlsWhenFound != nil else {
                throw UnusableConnection(reason: "to look for a server, this device must be started with --trust")
            }
            return .discovered(
                DiscoveryQuery(network: settings.network, transport: transport, family: ipv6 ? .ipv6 : .any))
        case .anyAddress?, nil:
            throw UnusableConnection(reason: "\"\(connection.parameters)\" is no address of a server")
        }
    }

    private mutating func takeRest(_ merged: NetworkConfiguration) {
        // This device has no Wi-Fi; an emulated module shows what it would use.
        let wifi = merged.wifi?.first
        shown.wifi = wifi?.network ?? ""
        shown.wifiPassword = wifi?.password ?? ""
        let interface = merged.interfaces?.first
        shown.ip = interface?.dhcp == false ? interface?.ip ?? "*" : "*"
    }
}
