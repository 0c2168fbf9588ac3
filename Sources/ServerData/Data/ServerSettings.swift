internal import FoundationEssentials
public import IOCOM

/// The file `server.json`: what a server is and which networks it publishes.
public struct ServerSettings: Equatable, Sendable {
    /// Most networks a server publishes (application-layer.md 3.1).
    public static let mostNetworks = 20
    /// Persistent block before the first accounts block: network k (1…) has block 20 + k.
    public static let accountsBlock = 20
    /// Longest file that is read.
    static let mostBytes = 64 << 10

    /// Own network.
    public let network: NetworkName
    /// Published networks; the own one is among them.
    public let publish: [NetworkName]
    /// Device number, 1…8998.
    public let deviceNumber: UInt32
    /// True when the folder was made for a demonstration, with a password that everybody knows.
    public let isDemo: Bool
    /// Days that the history goes back; nil for the usual time.
    public let historyDays: Int?
    /// Size of the history in MiB; nil for the usual one.
    public let historyMegabytes: Int?

    /// Checks and collects. An empty `publish` publishes the own network.
    ///
    /// - Throws: ``Problem``.
    public init(
        network: String, publish: [String] = [], deviceNumber: UInt32 = 1, isDemo: Bool = false,
        historyDays: Int? = nil, historyMegabytes: Int? = nil
    ) throws(Problem) {
        self.network = try Self.name(network)
        var names: [NetworkName] = []
        for text in publish.isEmpty ? [network] : publish {
            let name = try Self.name(text)
            guard !names.contains(name) else { throw .publishedTwice(text) }
            names.append(name)
        }
        guard names.contains(self.network) else { throw .ownNetworkNotPublished(network) }
        guard names.count <= Self.mostNetworks else { throw .tooManyNetworks(names.count) }
        guard (1...8998).contains(deviceNumber) else { throw .deviceNumber(deviceNumber) }
        self.publish = names
        self.deviceNumber = deviceNumber
        self.isDemo = isDemo
        guard (1...36_500).contains(historyDays ?? 1) else { throw .history("history_days", 36_500) }
        guard (1...65_536).contains(historyMegabytes ?? 1) else { throw .history("history_megabytes", 65_536) }
        self.historyDays = historyDays
        self.historyMegabytes = historyMegabytes
    }

    private static func name(_ text: String) throws(Problem) -> NetworkName {
        let isFit = text.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "-" || $0 == "_")
        }
        guard isFit, let name = NetworkName(text), !name.isEmpty else { throw .networkName(text) }
        return name
    }

    /// What is wrong with settings.
    public enum Problem: Error, Equatable, CustomStringConvertible {
        /// Not a name of a network.
        case networkName(String)
        /// A network is in the list twice.
        case publishedTwice(String)
        /// The own network is not in the list.
        case ownNetworkNotPublished(String)
        /// Too many networks.
        case tooManyNetworks(Int)
        /// Device number out of range.
        case deviceNumber(UInt32)
        /// A bound of the history out of range: its name in the file, and the highest possible.
        case history(String, Int)
        /// The file is not JSON of the expected form.
        case form

        /// For people.
        public var description: String {
            switch self {
            case .networkName(let text):
                "\"\(text)\" is no network name: use 1 to 23 letters, digits, dashes and underscores"
            case .publishedTwice(let text): "network \"\(text)\" is published twice"
            case .ownNetworkNotPublished(let text):
                "the server's own network \"\(text)\" is not among the published ones"
            case .tooManyNetworks(let count): "\(count) networks are published; at most \(mostNetworks) can be"
            case .deviceNumber(let number): "device number \(number) is not in 1…8998"
            case .history(let name, let most): "\(name) is not in 1…\(most)"
            case .form:
                "it is not JSON like {\"network\": \"cafenet\", \"publish\": [\"cafenet\"], \"device_nr\": 1}"
            }
        }
    }
}

extension ServerSettings {
    private struct File: Codable {
        var network: String
        var publish: [String]?
        var device_nr: UInt32?
        var demo: Bool?
        var history_days: Int?
        var history_megabytes: Int?
    }

    /// The content of `server.json`.
    init(file bytes: [UInt8]) throws(Problem) {
        let file: File
        do { file = try JSONDecoder().decode(File.self, from: Data(bytes)) } catch { throw .form }
        try self.init(
            network: file.network, publish: file.publish ?? [], deviceNumber: file.device_nr ?? 1,
            isDemo: file.demo ?? false, historyDays: file.history_days, historyMegabytes: file.history_megabytes)
    }

    /// The bytes of `server.json`.
    func file() throws(Problem) -> [UInt8] {
        let file = File(
            network: network.description, publish: publish.map { "\($0)" }, device_nr: deviceNumber,
            demo: isDemo ? true : nil, history_days: historyDays, history_megabytes: historyMegabytes)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        do { return Array(try encoder.encode(file)) + [UInt8(ascii: "\n")] } catch { throw .form }
    }
}
