import IOCOMTransport

/// What the `parameters` of a connection on a serial line say: `/dev/ttyUSB0:115200` or `COM4:19200`, and behind a comma
/// `parity=odd` or `parity=even` (application-layer.md 7.1; wire-protocol.md section 0).
struct SerialTarget: CustomStringConvertible {
    let address: ConnectionAddress

    init(_ address: ConnectionAddress) { self.address = address }

    /// Reads a text; the error tells what is wrong with it.
    init(parsing text: String) throws(ConnectionAddress.ParseError) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        var options = parts.dropFirst().map(String.init)
        var path = parts.first.map(String.init) ?? ""
        if let colon = path.lastIndex(of: ":") {
            options.insert("baud=\(path[path.index(after: colon)...])", at: 0)
            path = String(path[..<colon])
        }
        address = try ConnectionAddress(parsing: "serial://\(path)?\(options.joined(separator: "&"))")
    }

    var description: String {
        let parity = address.line.parity == .none ? "" : ",parity=\(address.line.parity.rawValue)"
        return "\(address.host):\(address.line.baud)\(parity)"
    }
}
