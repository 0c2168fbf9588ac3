import Discovery
import IOCOMTransport
import PackedJSON

/// Looks for servers that announce themselves; pages that ask at the same time share one look.
actor ServerFinding {
    /// Every server announces itself once in it.
    private static let time = Duration.seconds(5)

    private var look: Task<[FoundServer], Never>?

    /// What is found, after a few seconds.
    func servers() async -> JSON {
        let look = look ?? Task { await Finder().servers(DiscoveryQuery(), for: Self.time).found }
        self.look = look
        let found = await look.value
        if self.look == look { self.look = nil }
        return .array(
            found.map { server in
                [
                    "server": .string("\(server.nickname)"), "network": .string("\(server.network)"),
                    "transport": .string(server.address.transport.rawValue), "host": .string(server.address.host),
                    "port": .integer(Int64(server.address.port)), "connect": .string("\(server.address)"),
                ]
            })
    }
}
