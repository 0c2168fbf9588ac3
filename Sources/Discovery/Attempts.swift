import IOCOM
import IOCOMTransport

/// Which found addresses did not work: anybody can announce one, so that another gets its turn after a failure.
struct Attempts: Sendable {
    /// Most addresses that are remembered.
    static let most = 64

    private var failures: [ConnectionAddress: Milliseconds] = [:]

    /// The connection to `address` failed, or its certificate or login did.
    mutating func failed(_ address: ConnectionAddress, now: Milliseconds) {
        if failures.count >= Self.most, failures[address] == nil,
            let oldest = failures.min(by: { ($0.value, "\($0.key)") < ($1.value, "\($1.key)") })
        {
            failures[oldest.key] = nil
        }
        failures[address] = now
    }

    /// The first of `candidates` that was not tried yet; else, with `again`, the one whose failure is longest ago, if it
    /// announced itself since.
    func choose(_ candidates: [FoundServer], again: Bool) -> FoundServer? {
        if let fresh = candidates.first(where: { failures[$0.address] == nil }) { return fresh }
        guard again else { return nil }
        func failure(_ server: FoundServer) -> Milliseconds { failures[server.address] ?? 0 }
        return candidates.filter { $0.heardAt > failure($0) }.min { failure($0) < failure($1) }
    }
}
