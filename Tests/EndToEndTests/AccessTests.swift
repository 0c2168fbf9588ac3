import Access
import Foundation
import Testing
import UpdateTesting

extension EndToEnd {
    @Suite(.serialized) struct AccessRules {
        /// Every role, in its own network and in another, tries every operation with an implementation that is not ours.
        @Test(.enabled(if: Place.peer != nil, Peer.missing), .timeLimit(.minutes(5)))
        func `The table of roles holds in every cell`() async throws {
            let networks = ["cafenet", "asteroidnet"]
            let world = try await World.start(
                accounts: ["unit*", "other*"], roles: ["viewer", "operator", "engineer", "admin", "server"],
                publish: networks)
            let script = try Peer.script(
                "access.py",
                [
                    "--tls", world.tls, "--tcp", world.tcp, "--ca", world.trust, "--password-file", world.passwordFile,
                ], folder: world.folder.path)
            let result = try await script.end(seconds: 240)
            #expect(result.status == 0, "\(result) \(world.frank.report.suffix(4_000))")
            let object = try result.object()
            #expect((object["violations"] as? [String]) == [], "\(result)")
            let cells = try #require(object["cells"] as? [String: [String: [String: Bool]]])
            for role in Role.allCases {
                for network in networks {
                    for operation in Operation.allCases {
                        let row = try #require(cells[role.rawValue]?[network])
                        let isPossible = try #require(row[operation.rawValue] as Bool?)
                        let isAllowed = network == "cafenet" && Access(role).allows(operation)
                        #expect(
                            isPossible == isAllowed,
                            "\(role) \(operation) in \(network): \(world.frank.report.suffix(6_000))")
                    }
                }
            }
            try await world.stop()
        }
    }
}
