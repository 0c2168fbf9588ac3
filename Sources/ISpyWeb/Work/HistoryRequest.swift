import HistoryEntries
import Hummingbird
import IOCOM
import IOOperator

/// Which part of a server's history a page wants.
struct HistoryRequest {
    /// Most entries of one answer.
    private static let mostEntries = 1_000
    private static let usualEntries = 100

    private let network: NetworkName?
    private let query: HistoryQuery

    init(_ parameters: Parameters) throws(WebError) {
        var device: DevicePath?
        if let text = parameters["device"] {
            device = DevicePath(String(text))
            guard device != nil else { throw WebError(.usage, "'device' is no device, like candy3.cafenet") }
        }
        if let text = parameters["network"] {
            network = NetworkName(String(text))
            guard network?.isEmpty == false else { throw WebError(.usage, "'network' is no name of a network") }
        } else {
            network = device?.network
        }
        let limit = parameters["limit"].map { Int($0) ?? 0 } ?? Self.usualEntries
        guard (1...Self.mostEntries).contains(limit) else {
            throw WebError(.usage, "'limit' must be 1 to \(Self.mostEntries)")
        }
        query = HistoryQuery(device: device?.description, limit: limit)
    }

    func read(from access: Operator) async throws -> [HistoryEntry] {
        if let network { return try await access.history(of: network, query) }
        return try await access.history(of: try await access.network, query)
    }
}
