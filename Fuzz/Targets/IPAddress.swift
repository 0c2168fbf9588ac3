// modules: IOCOM PackedJSON ByteTools ServerData
// options: -max_len=140
import ServerData

/// What is read as an address is written and read as the same, alone and as a peer with brackets and a port.
func fuzz(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    if let address = IPAddress(text) {
        precondition(address.bytes.count == 4 || address.bytes.count == 16)
        precondition(IPAddress(address.description) == address)
        precondition(IPAddress(peer: "[\(text)]:6369") == address)
        precondition(address.isBetween(address, address))
    }
    if let peer = IPAddress(peer: text) { precondition(IPAddress(peer: peer.description) == peer) }
    if let names = try? ServerNames(text.split(separator: ",").map(String.init)) {
        precondition(names.hosts.count + names.addresses.count <= ServerNames.most)
    }
}
