import Discovery
import IOCOMTransport
import IOOperator

/// Connects to a server that announces itself: whoever does so is tried in turn, until one proves to be the right one.
enum FoundServers {
    /// How long to wait for another server after each failure: for two announcements of each.
    private static let patience = Duration.seconds(10)
    /// How many addresses are tried: those of other servers, or of somebody who pretends to be one, are among them.
    private static let most = 16

    /// `note` gets what a person wants to know; `connection` gives what is needed for an address.
    static func connect(
        _ query: DiscoveryQuery, note: (String) -> Void, _ connection: (ConnectionAddress) -> OperatorConnection
    ) async throws -> Operator {
        let search = ServerSearch(query)
        var failure: OperatorError?
        var tried: Set<ConnectionAddress> = []
        var end = ContinuousClock.now + patience
        while tried.count < most, ContinuousClock.now < end {
            let address: ConnectionAddress
            do { address = try await search.next(within: end - .now) } catch let error as DiscoveryError {
                throw failure ?? OperatorError(.noConnection, error.description)
            }
            guard tried.insert(address).inserted else {
                // It announced itself again, which makes it no better; another may do so too.
                await search.failed(address)
                continue
            }
            do {
                let access = try await Operator.connect(connection(address))
                note("connected to \(address), which announced network \(query.network.map { "\($0)" } ?? "*")")
                return access
            } catch let error as OperatorError {
                note("not \(address), which was announced: \(error)")
                // The right server that refuses says more than a wrong one.
                if failure?.kind != .loginRefused { failure = error }
                await search.failed(address)
                end = .now + patience
            }
        }
        throw failure ?? OperatorError(.noConnection, "no server that announces itself could be used")
    }
}
