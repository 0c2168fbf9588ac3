import Access
import Foundation
import Testing
import UpdateTesting

extension EndToEnd {
    @Suite(.serialized) struct AccessRules {
        /// Every role, in its own network and in another, tries every operation with an implementation that is not ours.
        @Test(.enabled(if: Place.peer != nil, Peer.missing), .timeLimit(.minutes(15)))
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

        /// As the original's operator tool edits accounts: it stores a password as it was typed.
        @Test(.enabled(if: Place.peer != nil, Peer.missing), .timeLimit(.minutes(15)))
        func `Another operator's tool reads, edits and saves accounts, and logs in with them`() async throws {
            let world = try await World.start(accounts: ["candy*"])
            let script = try Peer.script(
                "accounts.py", ["--tls", world.tls, "--ca", world.trust], folder: world.folder.path)
            let result = try await script.end(seconds: 120)
            #expect(result.status == 0, "\(result) \(world.frank.report.suffix(3_000))")
            let object = try result.object()
            #expect(object["sees_accounts"] as? Bool == true)
            #expect(object["read"] as? [String] == ["root*", "candy*"])
            #expect(object["saved"] as? Bool == true && object["unchanged"] as? Bool == true)
            #expect(object["stored_plain"] as? Bool == false)
            let logins = try #require(object["logins"] as? [String: Any])
            #expect(logins["eva/typed by hand"] as? Bool == false)
            #expect(logins["boss/pass"] as? Bool == true)
            #expect(logins["eva/wrong"] is NSNull && logins["eva/stored"] is NSNull)
            #expect(object["eva_wrote"] as? Bool == false)
            #expect(object["junk_refused"] as? Bool == true && object["kept"] as? Bool == true)
            #expect((object["violations"] as? [String]) == [], "\(result)")
            try await world.frank.line("added boss, eva")
            try await world.stop()
        }

        @Test(.timeLimit(.minutes(15)))
        func `Accounts are managed by command, and a removed one loses its connection`() async throws {
            let world = try await World.start()
            let candy = try await world.candy()
            let secret = try world.folder.write("new", Array("a new password".utf8))
            chmod(secret, 0o600)
            let added = try await world.ispy(
                "accounts", "add", "cafenet", "eva", "--role", "operator", "--new-password-file", secret)
            #expect(added.status == 0, "\(added)")
            func eva(_ arguments: [String]) throws -> RunningProgram {
                try RunningProgram(
                    Place.programs + "/ispy",
                    arguments + [
                        "--connect", world.tls, "--trust", world.trust, "--user", "eva.cafenet", "--password-file",
                        secret,
                    ], folder: world.folder.path)
            }
            let payload = try world.folder.write("payload", [1, 2, 3])
            let refused = try await eva(["block", "write", "candy3.cafenet", "14", payload]).end()
            #expect(
                refused.status == 1 && refused.errors.contains("eva may not change the configuration of devices"),
                "\(refused)")
            let set = try await eva(["set", "candy3.cafenet", "set_led", "true"]).end()
            #expect(set.status == 0, "\(set)")
            let accounts = try await eva(["accounts", "list", "cafenet"]).end()
            #expect(accounts.status == 1 && accounts.errors.contains("may not manage accounts"), "\(accounts)")

            let changed = try await world.ispy("accounts", "change", "cafenet", "eva", "--role", "engineer")
            #expect(changed.status == 0, "\(changed)")
            let written = try await eva(["block", "write", "candy3.cafenet", "14", payload]).end()
            #expect(written.status == 0, "\(written)")

            let watching = try eva(["signals", "candy3.cafenet", "--watch"])
            try await eventually("eva sees signals: \(watching.report)") { watching.output.isEmpty ? nil : true }
            let removed = try await world.ispy("accounts", "remove", "cafenet", "eva")
            #expect(removed.status == 0, "\(removed)")
            try await world.frank.line("its account was removed")
            let last = try await world.ispy("accounts", "remove", "cafenet", "root*")
            #expect(last.status == 1 && last.errors.contains("without an administrator"), "\(last)")
            let history = try await world.ispy("history", "--kind", "accounts", "--json")
            #expect(history.output.contains("added eva") && history.output.contains("removed eva"), "\(history)")
            #expect(history.output.contains("root.cafenet"), "\(history)")
            try await candy.stop()
            try await world.stop()
        }
    }
}
