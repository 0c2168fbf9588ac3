import Foundation
import Testing
import UpdateTesting

/// Leaves a mark when the package is installed by somebody.
private let mark = #"printf '#!/bin/sh\ntouch /root/owned\n' > DEBIAN/postinst; chmod 755 DEBIAN/postinst"#
private let next = "991201-0000"

extension EndToEnd {
    /// Nine attacks on a machine that takes signed packages: by a hostile server or operator, who writes persistent blocks as
    /// he likes, and by a hostile program or user on the machine itself, who asks the installer.
    @Suite(.serialized, .tags(.machines), .enabled(if: Machine.isWanted)) struct MachineAttacks {
        /// A machine that trusts the key `maker`.
        private func start() async throws -> (Machine, version: String) {
            let machine = try await Machine.start(.systemd)
            try await machine.trustKey()
            return (machine, try await machine.waitForCandy().version)
        }

        /// Writes a manifest, if there is one, and a package, as they are: nothing of what ispy checks stands in the way.
        private func push(
            _ machine: Machine, manifest: String?, package: String, _ words: String
        ) async throws {
            if let manifest {
                let sent = try await machine.ispy("block", "write", Machine.candy, "13", manifest)
                #expect(sent.status == 0, "\(sent)")
            }
            let result = try await machine.ispy("block", "write", Machine.candy, "1", package)
            #expect(result.status == 1, "\(result)")
            let state = try await machine.waitForCandy()
            #expect(words.isEmpty || state.reason?.contains(words) == true, "\(state) \(result)")
        }

        /// The same on the machine itself, as the user candy runs as: the installer checks once more.
        private func ask(
            _ machine: Machine, manifest: String?, package: String, _ words: String, user: String = "iocom-candy"
        ) async throws {
            try await machine.host(
                "/bin/sh",
                [
                    "-ec",
                    #"install -m 644 "$1" "$3/srv/p.deb"; [ -z "$2" ] || install -m 644 "$2" "$3/srv/p.deb.manifest""#,
                    "sh", package, manifest ?? "", machine.root,
                ])
            let result = try await machine.attempt(#"runuser -u "$1" -- iostart install /srv/p.deb"#, [user])
            #expect(result.status == 5 && result.errors.contains(words), "\(result)")
            try await machine.shell("rm -f /srv/p.deb*")
        }

        /// Nothing happened: the program of before runs, no script of a package ran, the database is whole; and a good
        /// package is taken.
        private func finish(_ machine: Machine, _ version: String) async throws {
            #expect(try await machine.waitForCandy().version == version)
            #expect(try await machine.attempt("[ ! -e /root/owned ]").status == 0)
            try await machine.audit()
            let good = try await machine.package("candy", "991230-0000")
            try await machine.sign(good)
            try await machine.write(good)
            try await machine.remove()
        }

        @Test func `1: a package without a signature`() async throws {
            let (machine, version) = try await start()
            let package = try await machine.package("candy", next, mark)
            try await push(machine, manifest: nil, package: package, "takes signed packages only")
            try await ask(machine, manifest: nil, package: package, "takes signed packages only")
            try await finish(machine, version)
        }

        @Test func `2: a package that another key signed`() async throws {
            let (machine, version) = try await start()
            let package = try await machine.package("candy", next, mark)
            try await machine.sign(package, key: "stranger")
            try await push(machine, manifest: package + ".manifest", package: package, "not a trusted one")
            try await ask(machine, manifest: package + ".manifest", package: package, "not a trusted one")
            try await finish(machine, version)
        }

        @Test func `3: the manifest of another package`() async throws {
            let (machine, version) = try await start()
            let other = try await machine.package("candy", "991202-0000")
            try await machine.sign(other)
            let package = try await machine.package("candy", next, mark)
            try await push(machine, manifest: other + ".manifest", package: package, "manifest says")
            try await ask(machine, manifest: other + ".manifest", package: package, "manifest says")
            // Of another application, signed with the right key.
            let frank = try await machine.package("frank", "991202-0000")
            try await machine.sign(frank)
            try await push(machine, manifest: frank + ".manifest", package: frank, "frank")
            try await ask(machine, manifest: frank + ".manifest", package: frank, "not configured for iocafe-frank")
            try await finish(machine, version)
        }

        @Test func `4: one changed byte`() async throws {
            let (machine, version) = try await start()
            let package = try await machine.package("candy", next)
            try await machine.sign(package)
            var bytes = try Images.bytes(package)
            bytes[bytes.count / 2] ^= 0x20
            let changed = machine.folder.path + "/changed.deb"
            try Data(bytes).write(to: URL(fileURLWithPath: changed))
            try await push(machine, manifest: package + ".manifest", package: changed, "not the one that was signed")
            try await ask(machine, manifest: package + ".manifest", package: changed, "not the one that was signed")
            try await finish(machine, version)
        }

        @Test func `5: an older package that was signed when it was new`() async throws {
            let (machine, version) = try await start()
            let package = try await machine.package("candy", "250101-0000", mark)
            try await machine.sign(package)
            try await push(machine, manifest: package + ".manifest", package: package, "older than")
            try await ask(machine, manifest: package + ".manifest", package: package, "older than")
            try await finish(machine, version)
        }

        @Test func `6: the package is swapped between check and installation`() async throws {
            let (machine, _) = try await start()
            let good = try await machine.package("candy", next)
            try await machine.sign(good)
            let evil = try await machine.package("candy", next, mark)
            try await machine.host(
                "/bin/sh",
                [
                    "-ec",
                    #"""
                    install -d -m 755 "$3/srv/p"; install -m 644 "$1" "$3/srv/p/good"; install -m 644 "$2" "$3/srv/p/evil"
                    install -m 644 "$1.manifest" "$3/srv/p/p.deb.manifest"; chmod 777 "$3/srv/p"
                    """#, "sh", good, evil, machine.root,
                ])
            // The same open file changes all the time, at random moments, as candy's user can change what it hands over.
            let script = #"""
                cd /srv/p
                runuser -u iocom-candy -- cp good p.deb
                runuser -u iocom-candy -- sh -c 'while [ ! -e stop ]; do cat evil > p.deb; cat good > p.deb; done' &
                for turn in 1 2 3 4 5 6 7 8 9 10 11 12; do
                    [ ! -e /root/owned ] || exit 9
                    runuser -u iocom-candy -- iostart install p.deb && break
                done
                touch stop; wait
                """#
            let said = try await machine.shell(script, seconds: 300)
            #expect(try await machine.attempt("[ ! -e /root/owned ]").status == 0, "\(said)")
            let state = try await machine.waitForCandy()
            // Taken or refused each time; what was checked is what was installed.
            try await machine.shell(
                #"[ "$1" != "$2" ] || dpkg --verify iocafe-candy | grep -v ' c /etc/' | wc -l | grep -qx 0"#,
                state.version,
                next)
            try await finish(machine, state.version)
        }

        @Test func `7: symbolic links where files are put for a while`() async throws {
            let (machine, version) = try await start()
            try await machine.shell(
                #"""
                sha256sum /etc/passwd /etc/shadow > /root/before
                runuser -u iocom-candy -- sh -c '
                    cd /var/lib/iocom/candy
                    ln -s /etc/passwd incoming.deb; ln -s /etc etc; ln -s /etc/shadow persistent-13.dat.new
                    ln -s /root/owned persistent-13.dat~; mkfifo pipe'
                """#)
            // Candy's own place for what comes in, and a way back that copies its data.
            let bad = try await machine.package("candy", next, #"printf '#!/bin/sh\nexit 3\n' > usr/bin/candy"#)
            try await machine.sign(bad)
            try await machine.write(bad, ends: 5)
            try await machine.shell("sha256sum --quiet --check /root/before; [ -L /var/lib/iocom/candy/etc ]")
            // What is handed over is a link to something that its user may not read.
            let asked = try await machine.attempt(
                "ln -s /etc/shadow /tmp/link.deb; runuser -u iocom-candy -- iostart install /tmp/link.deb")
            #expect(asked.status == 5, "\(asked)")
            // The installer's own folder is closed.
            for command in ["ls /var/lib/iocom/installer", "ln -s /etc /var/lib/iocom/candy.new", "touch /run/iocom/x"]
            {
                #expect(try await machine.attempt("runuser -u iocom-candy -- \(command)").status != 0, "\(command)")
            }
            try await finish(machine, version)
        }

        @Test func `8: a user without right asks the installer`() async throws {
            let (machine, version) = try await start()
            let package = try await machine.package("candy", next, mark)
            try await machine.sign(package)
            for user in ["nobody", "iocom-frank"] {
                try await ask(
                    machine, manifest: package + ".manifest", package: package, "not configured for", user: user)
            }
            for command in ["status", "reload", "restart candy"] {
                let said = try await machine.attempt("runuser -u iocom-candy -- iostart \(command)")
                #expect(said.status == 1 && said.errors.contains("only root may"), "\(said)")
            }
            try await finish(machine, version)
        }

        @Test func `9: control data with hostile fields`() async throws {
            let machine = try await Machine.start(.systemd)
            let version = try await machine.waitForCandy().version
            let architecture = try await machine.shell("dpkg --print-architecture").output
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let long = String(repeating: "x", count: 5_000_000)
            let good = ["Package: iocafe-candy", "Version: \(next)", "Architecture: \(architecture)"]
            let cases: [[String]] = [
                ["Package: ../../../etc/cron.d/x", good[1], good[2]],
                ["Package: iocafe-candy/../../root", good[1], good[2]],
                ["Package: iocafe-candy\n Version: 1", good[1], good[2]],
                [good[0], "Version: \(next)\nStatus: install ok installed\nVersion: 1", good[2]],
                [good[0], "Version: $(touch /root/owned)", good[2]], [good[0], "Version: -rf /", good[2]],
                [good[0], good[1], "Architecture: ../\(architecture)"], [good[0], good[1], "Architecture: all amd64"],
                [good[0], good[1], good[2], "Depends: --force-all, -x"],
                [good[0], good[1], good[2], "Depends: \(long)"], good + ["Description: \(long)"],
                ["Package: \(long)", good[1], good[2]], [], ["\u{0}\u{1}\u{FF}"],
            ]
            for (number, fields) in cases.enumerated() {
                let package = try await Self.archive(machine, number, fields)
                try await push(machine, manifest: nil, package: package, "")
                let state = try #require(try await machine.status(Machine.candy))
                #expect(
                    state.state == "failed" && state.version == version, "\(fields.map { $0.prefix(80) }): \(state)")
                #expect(state.reason?.isEmpty == false && state.reason?.contains("\n") == false, "\(state)")
            }
            try await finish(machine, version)
        }

        /// A package as `ar` and `tar` make it, which check nothing; its script would leave a mark.
        private static func archive(_ machine: Machine, _ number: Int, _ fields: [String]) async throws -> String {
            let folder = machine.folder.path + "/hostile-\(number)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let control = (fields + ["Maintainer: x <x@example.org>", "Description: x", ""]).joined(separator: "\n")
            try Data(control.utf8).write(to: URL(fileURLWithPath: folder + "/control"))
            try await machine.host(
                "/bin/sh",
                [
                    "-ec",
                    #"""
                    cd "$1"
                    printf '#!/bin/sh\ntouch /root/owned\n' > postinst; cp postinst preinst; chmod 755 p*inst
                    echo 2.0 > debian-binary
                    tar -czf control.tar.gz ./control ./postinst ./preinst
                    tar -czf data.tar.gz -T /dev/null
                    ar rc x.deb debian-binary control.tar.gz data.tar.gz
                    """#, "sh", folder,
                ])
            return folder + "/x.deb"
        }
    }
}
