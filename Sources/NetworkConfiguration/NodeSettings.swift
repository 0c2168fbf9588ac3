import PackedJSON

/// Wi-Fi and node settings: persistent block 11, which counts before the network configuration (application-layer.md 3.1, 7.1).
///
/// The block is the original's structure of fixed texts, each ended by NUL, 224 bytes in all: network name (24), device number
/// (8), parameters of connections 1 and 2 (64 each), name and password of Wi-Fi networks 1 and 2 (16 each). Nodes without Wi-Fi
/// have the first 160 bytes only; nodes with settings for network interfaces have more behind, which is kept. An empty text
/// overrides nothing.
public struct NodeSettings: Equatable, Sendable {
    /// IO network; `*` is any.
    public var networkName = ""
    /// Device number as text; `*` is automatic.
    public var deviceNumber = ""
    /// Parameters of connections 1 and 2.
    public var connect = ["", ""]
    /// Names of Wi-Fi networks 1 and 2.
    public var wifiNames = ["", ""]
    /// Passwords of Wi-Fi networks 1 and 2.
    public var wifiPasswords = ["", ""]
    /// What follows the known fields.
    private var rest: [UInt8] = []

    /// Bytes of a block.
    public static let size = 224
    /// Bytes of a block of a node without Wi-Fi.
    private static let shortSize = 160
    /// Most bytes: six network interfaces with addresses and hardware addresses, rounded up.
    private static let largest = 4096

    /// Longest texts, bytes.
    public enum Longest {
        /// Network name.
        public static let networkName = 23
        /// Device number.
        public static let deviceNumber = 7
        /// Parameters of a connection.
        public static let connect = 63
        /// Name or password of a Wi-Fi network.
        public static let wifi = 15
    }

    /// Settings that override nothing.
    public init() {}

    /// Reads a block; fails when it is none: of a wrong size, or with a text that has no end or is not UTF-8.
    public init(reading bytes: [UInt8]) throws(FieldProblem) {
        guard bytes.count == Self.shortSize || (Self.size...Self.largest).contains(bytes.count) else {
            throw FieldProblem("block 11", "has \(bytes.count) bytes; node settings have \(Self.size)")
        }
        var offset = 0
        func text(_ name: String, _ size: Int) throws(FieldProblem) -> String {
            let field = bytes[offset..<offset + size]
            offset += size
            guard let end = field.firstIndex(of: 0), let text = String(validating: field[..<end], as: UTF8.self) else {
                throw FieldProblem("block 11", "its \(name) is not a text")
            }
            return text
        }
        networkName = try text("network name", Longest.networkName + 1)
        deviceNumber = try text("device number", Longest.deviceNumber + 1)
        for index in 0...1 { connect[index] = try text("connection \(index + 1)", Longest.connect + 1) }
        guard bytes.count > offset else { return }
        for index in 0...1 {
            wifiNames[index] = try text("Wi-Fi name \(index + 1)", Longest.wifi + 1)
            wifiPasswords[index] = try text("Wi-Fi password \(index + 1)", Longest.wifi + 1)
        }
        rest = Array(bytes[offset...])
    }

    /// The block. Texts that are too long are cut; ``problems`` finds them.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        func add(_ text: String, _ longest: Int) {
            let field = text.utf8.prefix(longest)
            bytes += field
            bytes += repeatElement(0, count: longest + 1 - field.count)
        }
        add(networkName, Longest.networkName)
        add(deviceNumber, Longest.deviceNumber)
        for text in connect { add(text, Longest.connect) }
        for index in 0...1 {
            add(wifiNames[index], Longest.wifi)
            add(wifiPasswords[index], Longest.wifi)
        }
        return bytes + rest
    }

    /// What is wrong with settings that are about to be saved; empty when nothing is.
    public var problems: [FieldProblem] {
        var problems: [FieldProblem] = []
        func check(_ name: String, _ text: String, _ rule: FieldRule, _ longest: Int) {
            guard !text.isEmpty else { return }
            if let problem = rule.problem(with: .string(text))
                ?? FieldRule.text(most: longest).problem(with: .string(text))
            {
                problems.append(FieldProblem(name, problem))
            }
        }
        check("network name", networkName, .networkName, Longest.networkName)
        check("device number", deviceNumber, .deviceNumber, Longest.deviceNumber)
        for (index, text) in connect.enumerated() {
            check("connection \(index + 1)", text, .parameters, Longest.connect)
        }
        for index in 0...1 {
            check("Wi-Fi name \(index + 1)", wifiNames[index], .wifiName, Longest.wifi)
            check("Wi-Fi password \(index + 1)", wifiPasswords[index], .wifiPassword, Longest.wifi)
        }
        return problems
    }

    /// These settings over a configuration.
    public func over(_ base: NetworkConfiguration) -> NetworkConfiguration {
        var result = base
        if !networkName.isEmpty { result.networkName = networkName }
        if !deviceNumber.isEmpty { result.deviceNumber = NumberSetting(reading: deviceNumber) }
        if var connections = result.connections {
            for (index, text) in connect.enumerated() where !text.isEmpty && connections.indices.contains(index) {
                connections[index].parameters = text
            }
            result.connections = connections
        }
        guard wifiNames.contains(where: { !$0.isEmpty }) || wifiPasswords.contains(where: { !$0.isEmpty }) else {
            return result
        }
        var wifi = result.wifi ?? []
        for index in 0...1 {
            let isSet = !wifiNames[index].isEmpty || !wifiPasswords[index].isEmpty
            if wifi.count <= index { wifi.append(NetworkConfiguration.WiFi(network: "", password: "")) }
            guard isSet else { continue }
            if !wifiNames[index].isEmpty { wifi[index].network = wifiNames[index] }
            if !wifiPasswords[index].isEmpty { wifi[index].password = wifiPasswords[index] }
        }
        while let last = wifi.last, last.network.isEmpty, last.password.isEmpty { wifi.removeLast() }
        result.wifi = wifi
        return result
    }
}
