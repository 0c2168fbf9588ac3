import FoundationEssentials
import Glibc
import IOServer
import TerminalUI

/// What a running frank tells of itself, beside the network: the socket of its owner and the numbers for Prometheus.
struct StatusServices: Sendable {
    private let control: ControlService?
    private let metrics: MetricsEndpoint?

    /// Starts both. Without the socket the server is as good as with it; numbers that were asked for have to be there.
    static func start(
        _ server: RunningServer, folder: String, metrics address: MetricsAddress?, _ log: ServerLog
    ) async throws -> StatusServices {
        var endpoint: MetricsEndpoint?
        if let address {
            endpoint = try await MetricsEndpoint.start(address) { MetricsText(try await server.status()).text }
        }
        if let endpoint { Terminal.write("metrics on \(endpoint.url)\n", to: STDOUT_FILENO) }
        do {
            return StatusServices(
                control: try await ControlService.start(folder: folder) { try encode(try await server.status()) },
                metrics: endpoint)
        } catch {
            log.add(.problem("frank status won't work, there is no \(ControlSocket.name): \(error)"))
            return StatusServices(control: nil, metrics: endpoint)
        }
    }

    /// Ends both.
    func stop() async {
        await control?.stop()
        await metrics?.stop()
    }

    private static func encode(_ status: ServerStatus) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(status))
    }
}
