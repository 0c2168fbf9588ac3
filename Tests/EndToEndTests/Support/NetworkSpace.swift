import Foundation
import Testing
import UpdateTesting

/// A network of its own, with loopback only: what is sent in it reaches no other program. It ends with the last reference.
final class NetworkSpace: Sendable {
    /// Only root can make one.
    static let isPossible = geteuid() == 0 && FileManager.default.fileExists(atPath: "/usr/bin/unshare")
    static let missing: Comment = "network namespaces can't be made here: this needs root, unshare, nsenter and ip"

    private let folder: TemporaryFolder
    /// Keeps the namespace.
    private let holder: RunningProgram

    /// Makes one, with loopback up.
    init() async throws {
        folder = try TemporaryFolder()
        holder = try RunningProgram(
            "/usr/bin/unshare",
            [
                "--net", "sh", "-ec",
                """
                ip link set lo up
                ip link set lo multicast on
                ip -6 route add local ff00::/8 dev lo table local
                echo ready
                exec sleep 600
                """,
            ],
            environment: Self.path, folder: folder.path)
        try await holder.line("ready")
    }

    private static let path = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]

    /// Starts a program in it.
    func start(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], folder: String
    ) throws -> RunningProgram {
        try RunningProgram(
            "/usr/bin/nsenter", ["--net=/proc/\(holder.id)/ns/net", "--", program] + arguments,
            environment: environment, folder: folder)
    }

    /// Runs a shell script in it, which must succeed.
    func shell(_ script: String) async throws {
        let result = try await start(
            "/bin/sh", ["-ec", script], environment: Self.path, folder: folder.path
        ).end(seconds: 20)
        guard result.status == 0 else { throw Unexpected("\(script): \(result)") }
    }

    /// Lays a cable to another one: the interface `cable` in both, each with an IPv4 and a link-local IPv6 address.
    func connect(_ other: NetworkSpace, _ own: String, _ others: String) async throws {
        // Unique names, for both ends are made here.
        try await shell("ip link add cable type veth peer name cable netns \(other.holder.id)")
        for (space, address) in [(self, own), (other, others)] {
            try await space.shell(
                """
                echo 0 > /proc/sys/net/ipv6/conf/cable/accept_dad
                ip address add \(address)/24 dev cable
                ip link set cable up
                """)
        }
        for space in [self, other] {
            try await eventually("an IPv6 address") {
                try? await space.shell("ip -6 address show dev cable scope link | grep fe80 | grep -v tentative")
            }
        }
    }

    /// The link-local address of the cable.
    func linkLocal() async throws -> String {
        let result = try await start(
            "/bin/sh", ["-c", "ip -6 -o address show dev cable scope link"], environment: Self.path, folder: folder.path
        ).end(seconds: 20)
        guard let word = result.output.split(separator: " ").first(where: { $0.hasPrefix("fe80") }) else {
            throw Unexpected("no link-local address: \(result)")
        }
        return String(word.prefix { $0 != "/" })
    }
}
