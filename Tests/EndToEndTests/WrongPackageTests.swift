import Foundation
import Testing
import UpdateTesting

extension EndToEnd {
    @Suite(.serialized) struct WrongPackages {
        private struct Package {
            let name: String
            let path: String
        }

        private func packages(_ folder: TemporaryFolder) async throws -> [Package] {
            let goodPath = try await Images.make("261124-1200")
            let good = try Images.bytes(goodPath)
            var random = SeededGenerator(seed: 7)
            var list: [(String, [UInt8])] = [
                ("empty", []), ("text", Array("This is no program.\n".utf8)), ("header only", Array(good.prefix(24))),
                ("half", Array(good.prefix(good.count / 2))), ("one byte short", good.dropLast()),
                ("one byte more", good + [0]),
            ]
            for index in 0..<(Place.isFull ? 100 : 10) {
                var flipped = good
                let bit = Int.random(in: 0..<good.count * 8, using: &random)
                flipped[bit / 8] ^= 1 << (bit % 8)
                list.append(("bit \(bit)", flipped))
                if index == 0 {
                    // Behind the descriptor, where nothing but the checksums can tell.
                    var late = good
                    late[good.count / 2] ^= 0x10
                    list.append(("bit in the middle", late))
                }
            }
            var result = try list.enumerated().map { index, item in
                Package(name: item.0, path: try folder.write("wrong-\(index).bin", item.1))
            }
            result.append(
                Package(
                    name: "other chip",
                    path: try await Images.make(Images.Wish(version: "261124-1200", chip: "esp32c3"))))
            result.append(
                Package(
                    name: "other application",
                    path: try await Images.make(Images.Wish(version: "261124-1200", project: "gina"))))
            let sparse: [(String, [UInt8])] = [
                ("1 GB of nothing", []), ("1 GB that starts like a program", Array(good.prefix(4096))),
            ]
            for (name, start) in sparse {
                let path = try folder.write("sparse-\(result.count).bin", start)
                #expect(truncate(path, 1 << 30) == 0)
                result.append(Package(name: name, path: path))
            }
            result.append(Package(name: "Debian package", path: try await debian(folder)))
            return result
        }

        private func debian(_ folder: TemporaryFolder) async throws -> String {
            let root = folder.path + "/deb/DEBIAN"
            try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
            try Data(
                """
                Package: iocafe-candy
                Version: 261124-1200
                Architecture: amd64
                Maintainer: Nobody <nobody@example.com>
                Description: for a test

                """.utf8
            ).write(to: URL(fileURLWithPath: root + "/control"))
            chmod(root, 0o755)
            chmod(folder.path + "/deb", 0o755)
            let path = folder.path + "/iocafe-candy.deb"
            let result = try await RunningProgram(
                "/usr/bin/dpkg-deb", ["--root-owner-group", "--build", folder.path + "/deb", path], folder: folder.path
            ).end()
            guard result.status == 0 else { throw Unexpected("\(result)") }
            return path
        }

        @Test
        func `ispy refuses before anything is sent, candy refuses what is sent all the same`() async throws {
            let world = try await World.start()
            let candy = try await world.candy(image: try await Images.make("261101-0800"))
            let before = try await world.candyFlash(3, ["status", "--json"]).output
            let packages = try await packages(world.folder)
            for package in packages {
                let polite = try await world.ispy("program", "write", "candy3.cafenet", package.path)
                #expect([1, 5].contains(polite.status), "\(package.name): \(polite)")
                #expect(polite.errors.contains(package.path) && polite.errors.count > 40, "\(polite)")
                #expect(candy.count("update: receiving") == 0, "\(package.name)")
            }
            for (index, package) in packages.enumerated() {
                let raw = try await world.ispy("block", "write", "candy3.cafenet", "1", package.path, "--json")
                #expect(raw.status == 1, "\(package.name): \(raw)")
                let result = try raw.object()
                #expect(Set(result.keys) == ["device", "block", "bytes", "seconds", "code", "reason"])
                #expect((result["code"] as? Int).map { $0 >= 100 } == true, "\(package.name): \(result)")
                #expect((result["reason"] as? String)?.isEmpty == false)
                try await candy.line("update: failed: ", count: index + 1)
            }
            let state = try await world.status()
            #expect(state.version == "261101-0800")
            #expect(state.state == "failed" && state.reason?.isEmpty == false, "\(state)")
            #expect(candy.count("started candy") == 1, "it restarted: \(candy.report)")
            #expect(before.contains("261101-0800"))
            let good = try await world.ispy(
                "program", "write", "candy3.cafenet", try await Images.make("261124-1200"))
            #expect(good.status == 0, "\(good)")
            Place.note("\(packages.count) wrong packages refused by ispy and by candy")
            try await candy.stop()
            try await world.stop()
        }
    }
}
