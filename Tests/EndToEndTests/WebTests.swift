import Foundation
import Testing
import UpdateTesting

private let candy3 = "candy3.cafenet"
private let candyPath = "connections/1/devices/candy3.cafenet"

extension EndToEnd {
    /// The API of `ispy web` with real servers and devices behind it.
    @Suite(.serialized) struct WebAPI {
        private func start() async throws -> (world: World, candy: RunningProgram, web: WebPage) {
            let world = try await World.start()
            let candy = try await world.candy(image: try await Images.make("261101-0800"))
            let web = try await WebPage.start(packages: world.packages)
            #expect(try await web.connect(world) == "1")
            return (world, candy, web)
        }

        private func package(_ wish: Images.Wish, in world: World) async throws -> String {
            let name = "iocafe-candy-\(wish.version)-esp32-espcam.bin"
            try FileManager.default.copyItem(
                atPath: try await Images.make(wish), toPath: "\(world.packages)/esp32/\(name)")
            return name
        }

        @Test func `A script sees devices, sets a signal, writes a package and goes back`() async throws {
            let (world, candy, web) = try await start()
            let devices = try await web.api("GET", "connections/1/devices").list
            #expect(devices.map { $0["path"] as? String }.contains(candy3))
            #expect(try await web.api("GET", candyPath)["version"] as? String == "261101-0800")

            let set = try await web.api("PUT", candyPath + "/signals/set_brightness", ["value": "42"])
            #expect(set.status == 204, "\(set)")
            try await eventually("brightness is 42") {
                let signals = try await web.api("GET", candyPath + "/signals").list
                let value = signals.first { $0["name"] as? String == "brightness" }?["value"] as? Int
                return value == 42 ? true : nil
            }
            let refused = try await web.api("PUT", candyPath + "/signals/brightness", ["value": "1"])
            #expect(refused.status == 422 && refused.error.contains("cannot be set"), "\(refused)")
            let memory = try await web.api("GET", candyPath + "/memory/exp?offset=0&count=32")
            #expect((memory["data"] as? String)?.count == 64, "\(memory)")

            let new = try await package(Images.Wish(version: "261124-1200"), in: world)
            let packages = try await web.api("GET", candyPath + "/packages").list
            #expect(packages.first?["name"] as? String == new && packages.first?["newest"] as? Bool == true)
            let dry = try await web.api("POST", candyPath + "/program", ["package": new, "dryRun": true])
            #expect(dry.status == 200 && (dry["text"] as? String)?.contains("would write candy 261124-1200") == true)
            let job = try await web.end(try await web.api("POST", candyPath + "/program", ["package": new]))
            #expect(job["result"] as? String == "confirmed" && job["version"] as? String == "261124-1200", "\(job)")
            #expect(try await web.api("GET", candyPath)["version"] as? String == "261124-1200")
            let older = try await web.end(try await web.api("POST", candyPath + "/program", ["package": new]))
            #expect(older["result"] as? String == "refused", "\(older)")
            let back = try await web.end(try await web.api("POST", candyPath + "/rollback", [:]))
            #expect(back["result"] as? String == "done" && back["version"] as? String == "261101-0800", "\(back)")
            #expect(try await world.status().version == "261101-0800")
            try await web.stop()
            try await candy.stop()
            try await world.stop()
        }

        @Test func `A failed self-test ends as rolled back, with the reason; a batch stops at it`() async throws {
            let (world, candy, web) = try await start()
            let second = try await world.candy(4, image: try await Images.make("261101-0800"))
            let bad = try await package(Images.Wish(version: "261202-0000", selfTest: "fail"), in: world)
            let answer = try await web.api(
                "POST", "batches",
                [
                    "package": bad, "atOnce": 1, "stopOnFailure": true,
                    "targets": [
                        ["connection": "1", "device": candy3], ["connection": "1", "device": "candy4.cafenet"],
                    ],
                ])
            #expect(answer.status == 202 && answer.list.count == 2, "\(answer)")
            let jobs = try await eventually("both jobs end", seconds: 60) {
                let jobs = try await web.api("GET", "jobs").list
                return jobs.allSatisfy { $0["state"] as? String == "ended" } ? jobs : nil
            }
            #expect(jobs.map { $0["result"] as? String } == ["rolledBack", "cancelled"], "\(jobs)")
            #expect((jobs[0]["reason"] as? String)?.contains("self-test failed") == true)
            #expect((jobs[1]["reason"] as? String)?.contains("because candy3.cafenet failed") == true)
            #expect(try await world.status().version == "261101-0800")
            try await web.stop()
            for program in [candy, second] { try await program.stop() }
            try await world.stop()
        }

        @Test func `Packages come by upload when they are what their name says; blocks come and go`() async throws {
            let (world, candy, web) = try await start()
            let image = try await Images.make("261124-1200")
            let name = "iocafe-candy-261124-1200-esp32-espcam.bin"
            let taken = try await web.upload("POST", "packages?name=\(name)", image)
            #expect(taken.status == 201 && taken["version"] as? String == "261124-1200", "\(taken)")
            #expect(FileManager.default.contentsEqual(atPath: image, andPath: "\(world.packages)/esp32/\(name)"))

            var bytes = try Images.bytes(image)
            bytes[bytes.count / 2] ^= 1
            let damaged = try world.folder.write("damaged", bytes)
            let other = "iocafe-candy-261125-1200-esp32-espcam.bin"
            let refused = try await web.upload("POST", "packages?name=\(other)", damaged)
            #expect(refused.status == 422 && refused.error.contains("not a usable package"), "\(refused)")
            let contradicting = try await web.upload("POST", "packages?name=\(other)", image)
            #expect(contradicting.status == 422 && contradicting.error.contains("disagree"), "\(contradicting)")
            let escaping = try await web.upload("POST", "packages?name=../../evil.bin", image)
            #expect(escaping.status == 422, "\(escaping)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: web.folder.path + "/data/uploads").isEmpty)

            let content = try world.folder.write("block", Array("settings of the camera".utf8))
            let job = try await web.end(try await web.upload("PUT", candyPath + "/blocks/14", content))
            #expect(job["result"] as? String == "done", "\(job)")
            #expect(try await web.api("GET", candyPath + "/blocks/14").text == "settings of the camera")
            #expect(try await web.api("GET", candyPath + "/blocks/4").status == 422)
            #expect(try await web.api("DELETE", "packages/\(name)").status == 204)
            #expect(!FileManager.default.fileExists(atPath: "\(world.packages)/esp32/\(name)"))
            try await web.stop()
            try await candy.stop()
            try await world.stop()
        }

        @Test func `Accounts are edited without seeing a password, and a new one counts`() async throws {
            let (world, candy, web) = try await start()
            let path = "connections/1/devices/accounts1.cafenet/configuration"
            let before = try await web.api("GET", path)
            #expect(before["kind"] as? String == "accounts" && !before.text.contains("$"), "\(before)")
            var document = try #require(before["current"] as? [String: Any])
            var inner = try #require(document["accounts"] as? [String: Any])
            var accounts = try #require(inner["accounts"] as? [[String: Any]])
            accounts.insert(["user": "guest", "newPassword": "tea", "privileges": "operator"], at: 0)
            inner["accounts"] = accounts
            document["accounts"] = inner
            let saved = try await web.api("PUT", path, ["document": document])
            #expect(saved.status == 200, "\(saved)")
            let pem = try String(contentsOfFile: world.trust, encoding: .utf8)
            func login(_ user: String, _ password: String) async throws -> Int {
                try await web.api(
                    "POST", "connections",
                    ["connect": world.tls, "user": user, "password": password, "trust": ["pem": pem]]
                ).status
            }
            #expect(try await login("guest.cafenet", "coffee") == 403)
            #expect(try await login("guest.cafenet", "tea") == 201)
            // The others' secrets came through the page and back unharmed.
            #expect(try await login("root.cafenet", "pass") == 201)
            inner["accounts"] = []
            document["accounts"] = inner
            let locked = try await web.api("PUT", path, ["document": document])
            #expect(locked.status == 422 && locked.error.contains("nobody could change this again"), "\(locked)")
            try await web.stop()
            try await candy.stop()
            try await world.stop()
        }

        @Test func `A configuration with wrong fields is refused field by field, and a good one can be taken back`()
            async throws
        {
            let (world, candy, web) = try await start()
            let path = candyPath + "/configuration"
            let wrong = try await web.api(
                "PUT", path, ["document": ["network": ["device_nr": 0, "connect": [["transport": "tsl"]]]]])
            #expect(wrong.status == 422, "\(wrong)")
            let fields = (wrong["error"] as? [String: Any])?["fields"] as? [[String: Any]]
            #expect(
                fields?.map { $0["path"] as? String } == ["network.device_nr", "network.connect[0].transport"],
                "\(wrong)")
            let saved = try await web.api("PUT", path, ["document": ["network": ["cust1": "x"]]])
            #expect(saved.status == 200, "\(saved)")
            func state() async throws -> String? { try await web.api("GET", path)["state"] as? String }
            try await eventually("it is saved") { try await state() == "saved" ? true : nil }
            let back = try await web.api("POST", path + "/back")
            #expect(back.status == 200, "\(back)")
            try await eventually("it is taken back: \(candy.report)") { try await state() == "putBack" ? true : nil }
            #expect(try await web.api("GET", path)["current"] is NSNull)
            try await web.stop()
            try await candy.stop()
            try await world.stop()
        }

        @Test func `A certificate that was compared is trusted, and no other`() async throws {
            let world = try await World.start()
            let web = try await WebPage.start(packages: world.packages)
            let login: [String: Any] = ["connect": world.tls, "user": "root.cafenet", "password": "pass"]
            let unknown = try await web.api("POST", "connections", login)
            #expect(unknown.status == 424, "\(unknown)")
            let invented = login.merging(["trust": ["fingerprint": "AB:CD"]]) { $1 }
            #expect(try await web.api("POST", "connections", invented).status == 400)
            let shown = try await web.api("POST", "certificate", ["connect": world.tls])
            let print = try #require(shown["fingerprint"] as? String, "\(shown)")
            let trusting = login.merging(["trust": ["fingerprint": print], "saveAs": "home"]) { $1 }
            #expect(try await web.api("POST", "connections", trusting).status == 201)
            let saved = try await web.api("POST", "connections", ["profile": "home", "password": "pass"])
            #expect(saved.status == 201 && saved["profile"] as? String == "home", "\(saved)")
            // Another server with names as good as this one's.
            let impostor = try await World.start()
            var other = trusting
            other["connect"] = impostor.tls
            other["saveAs"] = nil
            #expect(try await web.api("POST", "connections", other).status == 424)
            try await web.stop()
            try await impostor.stop()
            try await world.stop()
        }
    }

    /// What others try.
    @Suite(.serialized) struct WebAttacks {
        @Test func `Other sites, names, users and requests without a right get nothing`() async throws {
            let folder = try TemporaryFolder()
            let web = try await WebPage.start(packages: folder.path)
            let host = web.address.dropFirst("http://".count)
            let bearer = ["--header", "Authorization: Bearer \(web.token)"]
            let json = ["--header", "Content-Type: application/json"]

            // The page brings a cookie that scripts can't read and other sites don't send.
            let jar = folder.path + "/cookies"
            let page = try await web.curl("/", ["--cookie-jar", jar, "--include"])
            #expect(
                page.status == 200 && page.text.contains("HttpOnly") && page.text.contains("SameSite=Strict"), "\(page)"
            )
            #expect(page.text.contains("Content-Security-Policy: default-src 'none'"))
            let cookie = ["--cookie", jar]
            #expect(try await web.curl("/api/v1/jobs", cookie).status == 200)
            #expect(try await web.curl("/api/v1/jobs", []).status == 401)
            #expect(try await web.curl("/api/v1/jobs", ["--header", "Authorization: Bearer no"]).status == 401)
            #expect(try await web.curl("/api/v1/jobs", ["--cookie", "ispy-0=\(web.token)"]).status == 401)

            // Another site makes the browser send: the origin tells.
            for origin in ["http://evil.example", "null", "http://127.0.0.1:1", "https://\(host)"] {
                let post = try await web.curl(
                    "/api/v1/logout", cookie + json + ["--request", "POST", "--header", "Origin: \(origin)"])
                #expect(post.status == 403 && post.kind == "forbidden", "\(origin): \(post)")
                let get = try await web.curl("/api/v1/jobs", cookie + ["--header", "Origin: \(origin)"])
                #expect(get.status == 403, "\(origin): \(get)")
            }
            #expect(try await web.curl("/api/v1/logout", cookie + json + ["--request", "POST"]).status == 403)
            // Even what a form could send as text.
            let form = try await web.curl(
                "/api/v1/connections",
                bearer + ["--header", "Content-Type: text/plain", "--data", #"{"connect": "tls://localhost"}"#])
            #expect(form.status == 400, "\(form)")

            // A name of another site leads here (DNS rebinding).
            for name in [
                "evil.example", "evil.example:6380", "127.0.0.1.evil.example", "[::2]:6380", "", "localhost@evil",
            ] {
                let answer = try await web.curl("/", ["--header", "Host: \(name)"])
                #expect(answer.status == 403 || answer.status == 400 || answer.status == 0, "\(name): \(answer)")
            }
            // Paths lead nowhere.
            for path in [
                "/../../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd",
                "/.", "/index.html%00", "/api/v1/packages/..%2f..%2f..%2fetc%2fpasswd", "/api/v1/../../etc/passwd",
                "/api/v1/connections/..%2f1/devices/..%2f..%2fx/blocks/1", "/api/v2/jobs",
                "/" + String(repeating: "a", count: 9_000),
            ] {
                let answer = try await web.curl(path, bearer)
                #expect((400..<500).contains(answer.status) && !answer.text.contains("root:"), "\(path): \(answer)")
                #expect(answer.kind != "", "\(path): \(answer)")
            }
            #expect(try await web.curl("/api/v1/packages/..%2fx", bearer + ["--request", "DELETE"]).status == 404)

            // Another user of the machine.
            if geteuid() == 0 {
                let result = try await RunningProgram(
                    "/usr/bin/setpriv",
                    [
                        "--reuid=nobody", "--regid=nogroup", "--clear-groups", "/usr/bin/curl", "--silent",
                        web.address + "/",
                    ], folder: folder.path
                ).end()
                #expect(result.output.contains("another user of this machine"), "\(result)")
            }
            try await web.stop()
        }

        @Test func `Uploads that are too large, too slow or broken off leave nothing`() async throws {
            let folder = try TemporaryFolder()
            let web = try await WebPage.start(packages: folder.path + "/packages")
            let uploads = web.folder.path + "/data/uploads"
            let name = "iocafe-candy-261124-1200-esp32-espcam.bin"
            let large = folder.path + "/large"
            try #require(FileManager.default.createFile(atPath: large, contents: nil))
            let file = try #require(FileHandle(forWritingAtPath: large))
            try file.truncate(atOffset: (64 << 20) + 1)
            try file.close()
            let answer = try await web.upload("POST", "packages?name=\(name)", large)
            #expect(answer.status == 413, "\(answer)")
            let document = try folder.write(
                "document", Array("{\"user\": \"\(String(repeating: "x", count: 2 << 20))\"}".utf8))
            let body = try await web.curl(
                "/api/v1/connections",
                [
                    "--header", "Authorization: Bearer \(web.token)", "--header", "Content-Type: application/json",
                    "--data-binary", "@" + document,
                ])
            #expect(body.status == 413, "\(body)")
            // One that trickles is ended from outside; what came is gone.
            let slow = try RunningProgram(
                "/usr/bin/curl",
                [
                    "--silent", "--limit-rate", "20k", "--request", "POST", "--header",
                    "Authorization: Bearer \(web.token)", "--header", "Content-Type: application/octet-stream",
                    "--data-binary", "@" + large, web.address + "/api/v1/packages?name=\(name)",
                ], folder: folder.path)
            try await eventually("the slow upload began") {
                let files = (try? FileManager.default.contentsOfDirectory(atPath: uploads)) ?? []
                return files.isEmpty ? nil : true
            }
            #expect(try await web.api("GET", "jobs").status == 200, "others go on")
            try await slow.kill()
            try await eventually("the upload that was broken off is gone") {
                try FileManager.default.contentsOfDirectory(atPath: uploads).isEmpty ? true : nil
            }
            try await web.stop()
        }

        @Test func `With a certificate and a password nobody gets in without it, and guessing is slow`() async throws {
            let folder = try TemporaryFolder()
            let made = try await RunningProgram(
                "/usr/bin/env",
                [
                    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                    folder.path + "/web.key", "-out", folder.path + "/web.pem",
                ], folder: folder.path
            ).end()
            #expect(made.status == 0, "\(made)")
            let password = try folder.write("web.password", Array("open sesame\n".utf8))
            chmod(password, 0o600)
            let web = try await WebPage.start(
                packages: folder.path,
                [
                    "--certificate", folder.path + "/web.pem", "--key", folder.path + "/web.key", "--password-file",
                    password,
                ])
            #expect(web.address.hasPrefix("https://"))
            let trust = ["--cacert", folder.path + "/web.pem"]
            let jar = folder.path + "/cookies"
            let own = ["--header", "Origin: \(web.address)", "--header", "Content-Type: application/json"]
            func login(_ password: String) async throws -> WebPage.Answer {
                try await web.curl(
                    "/api/v1/login",
                    trust + own + ["--cookie-jar", jar, "--data-binary", #"{"password": "\#(password)"}"#])
            }
            // The page itself is no secret, what it shows is.
            #expect(try await web.curl("/", trust + ["--cookie-jar", jar]).status == 200)
            #expect(try await web.curl("/api/v1/jobs", trust + ["--cookie", jar]).status == 401)
            let session = try await web.curl("/api/v1/session", trust)
            #expect(session["needsLogin"] as? Bool == true && session["loggedIn"] as? Bool == false)
            let evil = try await web.curl(
                "/api/v1/login",
                trust + [
                    "--header", "Origin: https://evil.example", "--header", "Content-Type: application/json",
                    "--data-binary", #"{"password": "open sesame"}"#,
                ])
            #expect(evil.status == 403 && evil.kind == "forbidden", "\(evil)")
            for _ in 0..<5 { #expect(try await login("guess").kind == "loginRefused") }
            #expect(try await login("open sesame").kind == "busy")
            try await eventually("the pause is over") {
                try await login("open sesame").status == 204 ? true : nil
            }
            #expect(try await web.curl("/api/v1/jobs", trust + ["--cookie", jar]).status == 200)
            #expect(
                try await web.curl("/api/v1/logout", trust + own + ["--cookie", jar, "--request", "POST"]).status == 204
            )
            #expect(try await web.curl("/api/v1/jobs", trust + ["--cookie", jar]).status == 401)
            try await web.stop()
        }

        @Test func `Elsewhere than on loopback TLS and a password are needed`() async throws {
            let folder = try TemporaryFolder()
            let refused = try await RunningProgram(
                Place.programs + "/ispy", ["web", "--listen", "0.0.0.0:0", "--data", folder.path],
                environment: ["HOME": folder.path], folder: folder.path
            ).end()
            #expect(refused.status == 2 && refused.errors.contains("--certificate"), "\(refused)")
        }
    }
}
