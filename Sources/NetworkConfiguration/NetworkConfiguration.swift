public import PackedJSON

/// The network configuration of a node (persistent blocks 2 and 3, application-layer.md 7.1), read as the original reads it.
///
/// A field that is nil is not in the document. What is not known here stays in ``document``.
public struct NetworkConfiguration: Equatable, Sendable {
    /// One way to other nodes.
    public struct Connection: Equatable, Sendable {
        /// How bytes travel.
        public var transport: NetworkTransport
        /// Where to, as text; `*` looks for a server.
        public var parameters: String
        /// Words with commas between.
        public var flags: String

        /// Composes a connection.
        public init(transport: NetworkTransport, parameters: String = "*", flags: String = "connect,up") {
            self.transport = transport
            self.parameters = parameters
            self.flags = flags
        }

        /// What the flags come down to.
        public var role: ConnectionRole { ConnectionRole(reading: flags) }
    }

    /// A network interface.
    public struct Interface: Equatable, Sendable {
        /// Address from the network; nil when the document does not say.
        public var dhcp: Bool?
        /// Address of this node.
        public var ip: String?

        /// Composes an interface.
        public init(dhcp: Bool? = nil, ip: String? = nil) {
            self.dhcp = dhcp
            self.ip = ip
        }
    }

    /// A Wi-Fi network.
    public struct WiFi: Equatable, Sendable {
        /// Name (SSID).
        public var network: String
        /// Password; empty when there is none.
        public var password: String

        /// Composes a network.
        public init(network: String, password: String) {
            self.network = network
            self.password = password
        }
    }

    /// Name of the device.
    public var deviceName: String?
    /// Number of the device.
    public var deviceNumber: NumberSetting?
    /// IO network; `*` is any.
    public var networkName: String?
    /// Password to log in with; empty, `*` and `auto` stand for the automatic one.
    public var password: String?
    /// Connections; at most three are looked at.
    public var connections: [Connection]?
    /// Network interfaces.
    public var interfaces: [Interface]?
    /// Wi-Fi networks; at most two are looked at.
    public var wifi: [WiFi]?
    /// What it was read from.
    public private(set) var document: JSON

    /// A configuration without any field.
    public init() { document = .object([]) }

    /// Reads a document by the rules of the original: fields count at any depth of objects, what makes no sense has its default.
    public init(reading document: JSON) {
        self.document = document
        read(document)
    }

    /// Unpacks and reads the value of block 2 or 3.
    public init(unpacking bytes: [UInt8]) throws(UnpackingError) {
        self.init(reading: try JSON(unpacking: bytes, limits: Self.limits))
    }

    /// What is accepted of a packed document.
    public static let limits = JSONLimits(
        bytes: NetworkSchema.largestDocument, depth: 16, items: 2000, textBytes: 65_536)

    private mutating func read(_ json: JSON) {
        for member in json.members ?? [] {
            switch (member.name, member.value) {
            case (_, .object): read(member.value)
            case ("device_name", .string(let text)): deviceName = text
            case ("device_nr", .string(let text)): deviceNumber = NumberSetting(reading: text)
            case ("device_nr", .integer(let number)): deviceNumber = NumberSetting(reading: number)
            case ("network_name", .string(let text)): networkName = text
            case ("password", .string(let text)): password = text
            case ("connect", .array(let entries)): connections = entries.prefix(3).compactMap(Connection.init(reading:))
            case ("nic", .array(let entries)):
                interfaces = entries.filter { $0.members != nil }.map {
                    Interface(dhcp: Self.flag($0["dhcp"]), ip: $0["ip"]?.text)
                }
            case ("wifi", .array(let entries)):
                wifi = entries.filter { $0.members != nil }.prefix(2).map {
                    WiFi(network: $0["network"]?.text ?? "", password: $0["password"]?.text ?? "")
                }
            default: break
            }
        }
    }

    /// The original takes the integer only; its operator tool stores texts, and what it means is plain.
    private static func flag(_ value: JSON?) -> Bool? {
        switch value {
        case .string("1"): true
        case .string("0"): false
        default: value?.flag
        }
    }
}

extension NetworkConfiguration.Connection {
    fileprivate init?(reading entry: JSON) {
        guard entry.members != nil else { return nil }
        self.init(
            transport: NetworkTransport(reading: entry["transport"]?.text),
            parameters: entry["parameters"]?.text.flatMap { $0.isEmpty ? nil : $0 } ?? "*",
            flags: entry["flags"]?.text ?? "")
    }
}

extension NetworkConfiguration {
    /// The document with the fields of this value in it; everything else in ``document`` stays as it is.
    public var json: JSON {
        var network = document["network"] ?? .object([])
        if network.members == nil { network = .object([]) }
        if let deviceName { network["device_name"] = .string(deviceName) }
        switch deviceNumber {
        case .automatic?: network["device_nr"] = "*"
        case .number(let number)?: network["device_nr"] = .integer(Int64(number))
        case nil: break
        }
        if let networkName { network["network_name"] = .string(networkName) }
        if let password { network["password"] = .string(password) }
        Self.write(connections, "connect", to: &network) { connection, entry in
            entry["transport"] = .string(connection.transport.rawValue)
            entry["parameters"] = .string(connection.parameters)
            entry["flags"] = .string(connection.flags)
        }
        Self.write(interfaces, "nic", to: &network) { interface, entry in
            if let dhcp = interface.dhcp { entry["dhcp"] = .integer(dhcp ? 1 : 0) }
            if let ip = interface.ip { entry["ip"] = .string(ip) }
        }
        Self.write(wifi, "wifi", to: &network) { wifi, entry in
            entry["network"] = .string(wifi.network)
            entry["password"] = .string(wifi.password)
        }
        var result = document
        if result.members == nil { result = .object([]) }
        result["network"] = network
        return result
    }

    /// Writes a list over the one in the document, entry by entry, so that unknown members of entries stay.
    private static func write<Entry>(
        _ entries: [Entry]?, _ name: String, to network: inout JSON, _ fill: (Entry, inout JSON) -> Void
    ) {
        guard let entries else { return }
        let old = network[name]
        network[name] = .array(
            entries.enumerated().map { index, value in
                var entry = old?[index] ?? .object([])
                if entry.members == nil { entry = .object([]) }
                fill(value, &entry)
                return entry
            })
    }

    /// This configuration over another one, as a device does it with what is built in: each field that is here counts, a list as
    /// a whole.
    public func over(_ base: NetworkConfiguration) -> NetworkConfiguration {
        var result = base
        result.deviceName = deviceName ?? base.deviceName
        result.deviceNumber = deviceNumber ?? base.deviceNumber
        result.networkName = networkName ?? base.networkName
        result.password = password ?? base.password
        result.connections = connections ?? base.connections
        result.interfaces = interfaces ?? base.interfaces
        result.wifi = wifi ?? base.wifi
        result.document = document
        return result
    }
}
