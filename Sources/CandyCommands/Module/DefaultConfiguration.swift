import Discovery
import IOCOM
import IOCOMTransport
import PackedJSON

/// Persistent block 3: the network configuration that is built in (application-layer.md 7.1), packed.
func defaultConfiguration(_ settings: CandySettings) throws(PackingError) -> [UInt8] {
    let transport = settings.address.transport == .tls ? "tls" : "socket"
    let parameters =
        switch settings.address {
        case .fixed(let address): "\(address.host):\(address.port)"
        case .discovered(let query): query.family == .ipv6 ? "[*]" : "*"
        }
    let number = settings.hasAutomaticNumber ? "*" : String(settings.number)
    let json: JSON = [
        "network": [
            "device_name": .string(settings.name.description), "device_nr": .string(number),
            "network_name": .string(settings.network.description),
            "connect": [
                [
                    "transport": .string(transport), "flags": "connect,up",
                    "parameters": .string(parameters),
                ]
            ],
        ]
    ]
    return try json.packed()
}
