import Foundation
import Testing
import UpdateTesting

extension EndToEnd {
    @Suite(.serialized, .enabled(if: NetworkSpace.isPossible, NetworkSpace.missing)) struct Discovery {
        @Test
        func `What frank announces is what the specification says, as a program of its own reads it`() async throws {
            let space = try await NetworkSpace()
            let world = try await DiscoveryWorld()
            let four = try world.independent(in: space, "hear", "4", "127.0.0.1", "60")
            let six = try world.independent(in: space, "hear", "6", "::1", "60")
            for listener in [four, six] { try await listener.line("listening") }
            let (frank, addresses) = try await world.frank(
                in: space, listen: ["tls://127.0.0.1:0", "tcp://127.0.0.1:0", "tls://[::1]:0"],
                ["--announce-on", "lo"])
            for listener in [four, six] { try await listener.line("\"heard\"", count: 3) }
            try await frank.stop()
            for (listener, points) in [
                (four, ["t": addresses[0].port, "s": addresses[1].port]), (six, ["T": addresses[2].port]),
            ] {
                #expect(try DiscoveryWorld.events("bad", of: listener).isEmpty, "\(listener.report)")
                let heard = try DiscoveryWorld.events("heard", of: listener).prefix(3)
                for message in heard {
                    #expect(message["nickname"] as? String == "grumpy")
                    #expect(message["hops"] as? [Int] == [1], "it must not leave its network")
                    #expect(message["tls"] as? Int == Int(points["t"] ?? points["T"] ?? 0))
                    #expect(message["plain"] as? Int == Int(points["s"] ?? 0))
                    let networks = message["networks"] as? [[String: Any]] ?? []
                    #expect(networks.map { $0["network"] as? String } == DiscoveryWorld.networks)
                    for network in networks {
                        #expect(network["points"] as? [String: Int] == points.mapValues { Int($0) })
                    }
                    let sent = Double(message["time"] as? Int ?? 0) / 1e6
                    #expect(abs(Date().timeIntervalSince1970 - sent) < 120)
                }
                let times = heard.compactMap { $0["at"] as? Double }
                for (before, after) in zip(times, times.dropFirst()) {
                    #expect((2...15).contains(after - before), "every 4 s: \(times)")
                }
                let counters = heard.compactMap { $0["counter"] as? Int }
                #expect(counters == counters.sorted() && Set(counters).count == 3, "\(counters)")
                #expect(Set(heard.compactMap { $0["random"] as? Int }).count > 1)
            }
            #expect(frank.count("can't be announced") == 0, "\(frank.report)")
        }

        @Test
        func `ispy discover finds what a program of its own announces, and says so when there is nothing`() async throws
        {
            let space = try await NetworkSpace()
            let world = try await DiscoveryWorld()
            let nothing = try await world.ispy(in: space, ["discover", "--seconds", "1"])
            #expect(nothing.status == 4, "\(nothing)")
            #expect(nothing.errors.contains("--announce") && nothing.errors.contains("firewall"), "\(nothing)")
            let wrong = try await world.ispy(in: space, ["discover", "--interface", "nowhere0"])
            #expect(wrong.status == 2 && wrong.errors.contains("nowhere0"), "\(wrong)")

            let four = try world.independent(
                in: space, "say", "4", "127.0.0.1", "60", "sleepy,ts7000:i:cafenet,t7001S9:i:other", "6369", "0")
            let six = try world.independent(in: space, "say", "6", "::1", "60", "dopey,TS1:i:cafenet", "6370", "2")
            for sayer in [four, six] { try await sayer.line("\"said\"") }
            #expect(
                try await world.discover(in: space, "--seconds", "3") == [
                    "dopey cafenet tcp://[::1]:1", "dopey cafenet tls://[::1]:6370",
                    "sleepy cafenet tcp://127.0.0.1:7000", "sleepy cafenet tls://127.0.0.1:6369",
                    "sleepy other tls://127.0.0.1:7001",
                ])
            #expect(
                try await world.discover(in: space, "--seconds", "2", "--network", "other", "--interface", "lo") == [
                    "sleepy other tls://127.0.0.1:7001"
                ])
            let table = try await world.ispy(in: space, ["discover", "--seconds", "2"])
            #expect(table.status == 0 && table.output.contains("tls://[::1]:6370"), "\(table)")
            withExtendedLifetime([four, six]) {}
        }

        @Test
        func `ispy web offers the servers that announce themselves`() async throws {
            let space = try await NetworkSpace()
            let world = try await DiscoveryWorld()
            let say = try world.independent(
                in: space, "say", "4", "127.0.0.1", "60", "sleepy,t:i:cafenet", "6369", "0")
            let data = world.folder.path + "/web"
            let web = try space.start(
                Place.programs + "/ispy", ["web", "--listen", "127.0.0.1:0", "--data", data],
                environment: ["XDG_CONFIG_HOME": data], folder: world.folder.path)
            let line = try await web.line("ispy is at http://")
            let address = line.split(separator: " ").first { $0.hasPrefix("http://") }.map(String.init) ?? ""
            let answer = try await world.independent(
                in: space, "fetch", address + "api/v1/servers-found", data + "/web-token"
            ).end()
            let server = try answer.array().first
            #expect(try answer.array().count == 1 && answer.status == 0, "\(answer)")
            #expect(server?["connect"] as? String == "tls://127.0.0.1:6369", "\(answer)")
            #expect(server?["server"] as? String == "sleepy" && server?["port"] as? Int == 6369, "\(answer)")
            web.signal(SIGINT)
            _ = try await web.end(seconds: 10)
            withExtendedLifetime(say) {}
        }

        @Test
        func `A device finds its server, and finds it again where it moved`() async throws {
            let space = try await NetworkSpace()
            let world = try await DiscoveryWorld()
            let candy = try world.candy(in: space)
            try await candy.line("still looking")
            let first = try await world.frank(in: space, listen: ["tls://127.0.0.1:0", "tcp://127.0.0.1:0"])
            try await candy.line("connected to \(first.addresses[0])")
            #expect(candy.count("still looking") == 1, "it says so once: \(candy.report)")

            for star in ["*", "tls://*", "tcp://*"] {
                let devices = try await world.ispy(in: space, ["devices", "--json"], connect: star)
                #expect(devices.status == 0 && devices.output.contains("candy3.cafenet"), "\(star): \(devices)")
            }
            let six = try await world.ispy(in: space, ["devices"], connect: "[*]")
            #expect(six.status == 3 && six.errors.contains("cafenet"), "there is nothing on IPv6: \(six)")

            try await first.program.stop()
            let second = try await world.frank(in: space, listen: ["tls://[::1]:0"])
            #expect(first.addresses[0].port != second.addresses[0].port)
            try await candy.line("connected to \(second.addresses[0])")
            let found = try await world.ispy(in: space, ["devices", "--json"], connect: "tls://[*]")
            #expect(found.status == 0 && found.output.contains("candy3.cafenet"), "\(found)")
            try await candy.stop()
            try await second.program.stop()
        }

        @Test
        func `A server of another authority that announces itself never gets a password`() async throws {
            let space = try await NetworkSpace()
            let world = try await DiscoveryWorld()
            let other = world.folder.path + "/other"
            let thief = try world.independent(
                in: space, "tls", "127.0.0.1", "7999", other + "/server.pem", other + "/server.key.pem")
            try await thief.line("listening")
            // Much more often than the right one, from an address that goes before all others.
            let forger = try world.independent(
                in: space, "say", "4", "127.0.0.1", "120", "grumpy,t:i:cafenet", "7999", "0")
            let junk = [("4", "127.0.0.1"), ("6", "::1")].map {
                try? world.independent(in: space, "junk", $0.0, $0.1, "120")
            }
            let candy = try world.candy(in: space)
            try await candy.line("tls://127.0.0.1:7999, which was announced")
            try await thief.line("\"visit\"")
            // Plain TCP is not what was asked for, though it would be there.
            let frank = try await world.frank(in: space, listen: ["tls://[::1]:0", "tcp://127.0.0.1:0"])
            try await candy.line("connected to \(frank.addresses[0])")
            let devices = try await world.ispy(in: space, ["devices", "--json"], connect: "*")
            #expect(devices.status == 0 && devices.output.contains("candy3.cafenet"), "\(devices)")
            // It goes to the first one it hears of, which need not be that one at each try.
            let before = try DiscoveryWorld.events("visit", of: thief).count
            try await eventually("ispy was at the other server too", seconds: 120) {
                _ = try await world.ispy(in: space, ["devices"], connect: "*")
                return try DiscoveryWorld.events("visit", of: thief).count > before ? true : nil
            }
            for visit in try DiscoveryWorld.events("visit", of: thief) {
                #expect(visit["told"] as? String == "", "\(thief.report)")
            }
            #expect((candy.peakMemory ?? .max) < 200_000, "a flood needs no memory: \(candy.peakMemory ?? 0) KiB")
            try await candy.stop()
            try await frank.program.stop()
            withExtendedLifetime((forger, junk)) {}
        }

        @Test
        func `Who looks for a server must say which authority to trust`() async throws {
            let space = try await NetworkSpace()
            let world = try await DiscoveryWorld()
            let ispy = try await world.ispy(in: space, ["devices", "--connect", "*"])
            #expect(ispy.status == 2 && ispy.errors.contains("trust.pem"), "\(ispy)")
            let candy = try await space.start(
                Place.programs + "/candy", ["run", "--connect", "*", "--data", world.folder.path + "/candy"],
                folder: world.folder.path
            ).end()
            #expect(candy.status == 2 && candy.errors.contains("trust.pem"), "\(candy)")
            let port = try await world.ispy(in: space, ["devices"], connect: "tls://*:7000")
            #expect(port.status == 2, "\(port)")
        }

        @Test
        func `Over a cable a server is found by IPv4 and IPv6, but not what listens on loopback only`() async throws {
            let server = try await NetworkSpace()
            let client = try await NetworkSpace()
            try await server.connect(client, "10.9.8.1", "10.9.8.2")
            let world = try await DiscoveryWorld()
            let local = try await world.frank(in: server, listen: ["tls://127.0.0.1:0"])
            #expect(
                try await world.discover(in: server, "--seconds", "5", "--network", "cafenet") == [
                    "grumpy cafenet \(local.addresses[0])"
                ])
            let nothing = try await world.ispy(in: client, ["discover", "--seconds", "5"])
            #expect(nothing.status == 4, "\(nothing)")
            try await local.program.stop()

            // `::` takes both families; what is on loopback stays there.
            let frank = try await world.frank(in: server, listen: ["tls://[::]:0", "tcp://127.0.0.1:0"])
            let port = frank.addresses[0].port
            let six = "tls://[\(try await server.linkLocal())%cable]:\(port)"
            #expect(
                try await world.discover(in: client, "--seconds", "6", "--network", "cafenet") == [
                    "grumpy cafenet tls://10.9.8.1:\(port)", "grumpy cafenet \(six)",
                ])
            let either = try world.candy(in: client, 4)
            let candy = try world.candy(in: client, 6, connect: "[*]")
            // By whichever of the two addresses it hears of first.
            try await either.line("connected to tls://")
            try await candy.line("connected to \(six)")
            for address in ["*", "[*]"] {
                let devices = try await world.ispy(in: client, ["devices", "--json"], connect: address)
                #expect(devices.status == 0, "\(address): \(devices)")
                for device in ["candy4.cafenet", "candy6.cafenet"] {
                    #expect(devices.output.contains(device), "\(address): \(devices)")
                }
            }
            // The cable is pulled: the device says that it looks, and is back when it is there again.
            try await server.shell("ip link set cable down")
            try await either.line("not connected", seconds: 60)
            try await server.shell("ip link set cable up")
            try await either.line("connected to tls://", count: 2, seconds: 90)
            for program in [either, candy, frank.program] { try await program.stop() }
        }
    }
}
