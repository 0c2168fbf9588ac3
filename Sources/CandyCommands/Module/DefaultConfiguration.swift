import Discovery
import IOCOM
import IOCOMTransport
import NetworkConfiguration
import PackedJSON

extension CandySettings {
    /// What is built in: the network configuration that the command line stands for.
    var builtIn: NetworkConfiguration {
        var result = NetworkConfiguration()
        result.deviceName = name.description
        result.deviceNumber = hasAutomaticNumber ? .automatic : .number(number)
        result.networkName = network.description
        result.connections = [
            NetworkConfiguration.Connection(
                transport: address.networkTransport,
                parameters: address.parameters)
        ]
        return result
    }

    /// Persistent block 3 (application-layer.md 7.1).
    func defaultsBlock() throws(PackingError) -> [UInt8] { try builtIn.json.packed() }
}

extension ServerAddress {
    /// The transport as a network configuration names it.
    var networkTransport: NetworkTransport {
        switch transport {
        case .tls: .tls
        case .tcp: .socket
        case .serial: .serial
        }
    }

    /// How a network configuration says it.
    var parameters: String {
        switch self {
        case .fixed(let address) where address.transport == .serial: SerialTarget(address).description
        case .fixed(let address): "\(ConnectTarget.host(address.host, port: address.port))"
        case .discovered(let query): query.family == .ipv6 ? "[*]" : "*"
        }
    }
}
