import Foundation
import Testing
import UpdateTesting

extension EndToEnd {
    /// The real page in a headless Chromium, with real servers and devices behind it.
    @Suite(.serialized) struct WebBrowser {
        /// Runs a script of the folder Browser.
        private func browse(
            _ script: String, _ arguments: [String], in folder: TemporaryFolder, seconds: Double = 900
        ) async throws -> Finished {
            try await RunningProgram(
                Place.root + "/.build-tools/web/bin/python",
                ["-B", Place.root + "/Tests/EndToEndTests/Browser/" + script] + arguments,
                environment: ["HOME": folder.path, "SE_AVOID_STATS": "true"], folder: folder.path
            ).end(seconds: seconds)
        }

        private func package(_ wish: Images.Wish, in world: World) async throws -> String {
            let name = "iocafe-\(wish.project)-\(wish.version)-esp32-espcam.bin"
            try FileManager.default.copyItem(
                atPath: try await Images.make(wish), toPath: "\(world.packages)/esp32/\(name)")
            return name
        }

        @Test func `An operator does everything in the browser`() async throws {
            let world = try await World.start(accounts: ["candy3", "candy4"])
            let old = try await Images.make("261101-0800")
            let candies = [
                try await world.candy(3, image: old), try await world.candy(4, image: old, ["--ring", "257"]),
            ]
            // One that nobody knows.
            let stranger = try world.startCandy(5, hardware: "linux")
            let new = try await package(Images.Wish(version: "261124-1200"), in: world)
            let bytes = try Images.bytes("\(world.packages)/esp32/\(new)")
            let damaged = try world.folder.write(
                "iocafe-candy-261129-0000-esp32-espcam.bin", Array(bytes.prefix(bytes.count / 2)))
            let web = try await WebPage.start(packages: world.packages)
            let shown = try await web.api("POST", "certificate", ["connect": world.tls])
            let settings: [String: Any] = [
                "server": world.tls, "fingerprint": shown["fingerprint"] as? String ?? "", "new": new,
                "other": try await package(Images.Wish(version: "261130-0000", project: "gina"), in: world),
                "bad": try await package(Images.Wish(version: "261202-0000", selfTest: "fail"), in: world),
                "large": try await package(Images.Wish(version: "261130-0000", size: 1_200_000), in: world),
                "damaged": damaged,
            ]
            let file = try world.folder.write(
                "settings.json", Array(try JSONSerialization.data(withJSONObject: settings)))
            let walked = try await browse("walk.py", [web.address, file], in: world.folder)
            #expect(walked.status == 0, "\(walked)\n\(stranger.report)")
            #expect(walked.output.split(separator: "\n").count { $0.hasPrefix("ok ") } == 16, "\(walked)")
            try await web.stop()
            for program in candies + [stranger] { try await program.stop() }
            try await world.stop()
        }

        @Test func `Nothing runs that peers and files are called`() async throws {
            let world = try await World.start(accounts: ["load*"])
            let load = try RunningProgram(
                Place.programs + "/many-devices",
                [
                    "--connect", world.tls, "--trust", world.trust, "--password-file", world.passwordFile, "--hostile",
                    "--signals", "3",
                ], folder: world.folder.path)
            try await load.line("all 1 devices")
            let name = try await package(Images.Wish(version: "261124-1200"), in: world)
            _ = try world.folder.write("packages/esp32/<img src=x onerror=pwned=1>.bin", [1, 2, 3])
            let web = try await WebPage.start(packages: world.packages)
            let id = try await web.connect(world)
            try await eventually("the device is there") {
                try await web.api("GET", "connections/\(id)/devices/load1.cafenet").status == 200 ? true : nil
            }
            let job = try await web.end(
                try await web.api("POST", "connections/\(id)/devices/load1.cafenet/program", ["package": name]))
            #expect((job["reason"] as? String)?.contains("<b>load</b>") == true, "\(job)")
            let looked = try await browse("attack.py", [web.address], in: world.folder)
            #expect(looked.status == 0, "\(looked)")
            try await web.stop()
            try await load.kill()
            try await world.stop()
        }

        @Test func `Every window can be used by everybody`() async throws {
            let world = try await World.start()
            let candy = try await world.candy(image: try await Images.make("261101-0800"))
            _ = try await package(Images.Wish(version: "261124-1200"), in: world)
            let web = try await WebPage.start(packages: world.packages)
            _ = try await web.connect(world)
            let checked = try await browse("accessibility.py", [web.address], in: world.folder)
            #expect(checked.status == 0, "\(checked)")
            Place.note("accessibility: " + checked.output.split(separator: "\n").prefix(1).joined())
            try await web.stop()
            try await candy.stop()
            try await world.stop()
        }

        @Test func `Whatever the description allows, the API answers`() async throws {
            let world = try await World.start()
            let candy = try await world.candy(image: try await Images.make("261101-0800"))
            let web = try await WebPage.start(packages: world.packages)
            _ = try await web.connect(world)
            let fuzzed = try await browse("fuzz_api.py", [web.address, web.token, world.folder.path], in: world.folder)
            #expect(fuzzed.status == 0, "\(fuzzed)")
            #expect(try await web.api("GET", "connections/1/devices/candy3.cafenet").status == 200)
            let generated = fuzzed.output.split(separator: "\n").last { $0.contains(" generated") } ?? ""
            Place.note("API: " + generated.trimmingCharacters(in: .whitespaces))
            try await web.stop()
            try await candy.stop()
            try await world.stop()
        }
    }
}
