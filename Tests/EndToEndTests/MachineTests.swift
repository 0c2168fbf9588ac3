import Foundation
import Testing
import UpdateTesting

extension EndToEnd {
    /// Booted Debians, with systemd and without: both have to behave the same. They take packages and root, so they
    /// run where IOCOM_MACHINE_PACKAGES says so (scripts/test --full).
    @Suite(.serialized, .tags(.machines), .enabled(if: Machine.isWanted)) struct Machines {
        private static let next = "991201-0000"

        @Test(arguments: Machine.Kind.allCases)
        func `Installed as the README says, both start at boot and take signed packages, frank for itself`(
            kind: Machine.Kind
        ) async throws {
            let machine = try await Machine.start(kind)
            // This was a boot already: the machine was set up, shut down and copied.
            let before = try await machine.waitForCandy()
            try await machine.trustKey()
            for (application, device) in [("candy", Machine.candy), ("frank", Machine.frank)] {
                let package = try await machine.package(application, Self.next)
                try await machine.sign(package)
                let written = try await machine.write(package, to: device)
                #expect(try written.object()["result"] as? String == "confirmed")
                // What dpkg says came line by line while it installed.
                let lines = written.errors.split(separator: "\n").filter { $0.contains(#""text""#) }
                for words in ["Unpacking iocafe-\(application)", "Setting up iocafe-\(application)"] {
                    #expect(
                        lines.count { $0.contains(words) && $0.contains(#""phase":"installing""#) } == 1, "\(written)")
                }
                #expect(
                    try await machine.status(device)
                        == ProgramState(version: Self.next, previous: before.version, state: "confirmed", reason: nil))
            }
            try await machine.audit()

            // Both run as their own users, nothing has a set-user-id bit, and nothing else can be done without a password.
            let users = try await machine.shell("ps -o user:20= -C candy; ps -o user:20= -C frank")
            #expect(Set(users.output.split(whereSeparator: \.isWhitespace)) == ["iocom-candy", "iocom-frank"])
            let modes = try await machine.shell(
                "dpkg-query -L iocafe-candy iocafe-frank iocafe-iostart | xargs stat -c '%a %n' | grep -E '^[1-7][0-7]{3} ' || true"
            )
            #expect(modes.output.isEmpty)

            // Off and on again: what runs is the new programs.
            try await machine.kill()
            try await machine.boot()
            #expect(try await machine.waitForCandy().version == Self.next)
            #expect(try await machine.status(Machine.frank)?.version == Self.next)

            // And back, as an operator wishes.
            let back = try await machine.ispy("program", "rollback", Machine.candy)
            #expect(back.status == 0, "\(back)")
            #expect(try await machine.waitForCandy().version == before.version)
            try await machine.audit()

            if kind == .systemd {
                for unit in ["candy", "frank"] {
                    let said = try await machine.shell(
                        "systemd-analyze security \(unit).service --no-pager | tail -n 1")
                    #expect(said.output.contains("OK"), "\(said)")
                }
            }
            // Removed and purged it leaves nothing behind.
            try await machine.shell("DEBIAN_FRONTEND=noninteractive apt-get -y purge iocafe-candy")
            let rest = try await machine.shell(
                "ls -d /var/lib/iocom/candy /usr/bin/candy 2>/dev/null || pgrep candy || true")
            #expect(rest.output.isEmpty, "\(rest)")
            try await machine.remove()
        }

        @Test func `Packages that nobody here made are installed or refused for what they are`() async throws {
            let machine = try await Machine.start(.sysvinit)
            let version = try await machine.waitForCandy().version
            // Of this distribution: one that fits, one whose libraries are missing, one for another machine.
            try await machine.host(
                "/bin/sh",
                [
                    "-ec",
                    #"""
                    cd "$1/root/srv"
                    apt-get -q -o Acquire::Retries=5 download hello jq
                    path=$(apt-cache show --no-all-versions hello | sed -n 's/^Filename: //p')
                    other=$(dpkg --print-architecture | grep -qx amd64 && echo arm64 || echo amd64)
                    curl --silent --show-error --fail --retry 5 --retry-all-errors --output foreign.deb \
                        "http://deb.debian.org/debian/$(echo "$path" | sed "s/_[a-z0-9]*\.deb/_$other.deb/")"
                    chmod 644 *.deb
                    """#, "sh", machine.place,
                ])
            try await machine.shell(
                #"""
                for name in hello jq; do
                    printf '{"package": "%s", "user": "root", "confirms": false, "proofSeconds": 2,
                        "program": "/usr/bin/tail", "arguments": ["-f", "/dev/null"]}' "$name" \
                        > /etc/iocom/applications/$name.json
                done
                iostart reload
                """#)
            let hello = try await machine.attempt("iostart install /srv/hello_*.deb && hello")
            #expect(hello.status == 0 && hello.output.contains("Hello, world!"), "\(hello)")
            let jq = try await machine.attempt("iostart install /srv/jq_*.deb")
            #expect(jq.status == 5 && jq.errors.contains("needs what is not installed: libjq1"), "\(jq)")
            // The owner allows fetching, from a folder that apt knows.
            try await machine.host(
                "/bin/sh",
                [
                    "-ec",
                    #"""
                    mkdir "$1/root/srv/repository"
                    cd "$1/root/srv/repository"
                    apt-get -q -o Acquire::Retries=5 download libjq1 libonig5
                    for file in *.deb; do
                        dpkg-deb --field "$file"
                        printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' \
                            "$file" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d ' ' -f 1)"
                    done > Packages
                    chmod -R a+rX .
                    """#, "sh", machine.place,
                ])
            try await machine.shell(
                #"""
                echo 'deb [trusted=yes] file:/srv/repository ./' > /etc/apt/sources.list.d/local.list
                apt-get -q -o Dir::Etc::sourcelist=sources.list.d/local.list -o Dir::Etc::sourceparts=- update
                sed -i 's/"proofSeconds"/"fetchDependencies": true, "proofSeconds"/' /etc/iocom/applications/jq.json
                iostart reload
                """#)
            let fetched = try await machine.attempt("iostart install /srv/jq_*.deb && echo '{\"a\": 7}' | jq .a")
            #expect(fetched.status == 0 && fetched.output.hasSuffix("\n7\n"), "\(fetched)")
            #expect(fetched.errors.contains("Setting up jq"), "\(fetched)")
            let foreign = try await machine.attempt("iostart install /srv/foreign.deb")
            #expect(foreign.status == 5 && foreign.errors.contains("this machine is"), "\(foreign)")
            // And over the network into a device that is something else.
            let package = try #require(
                try FileManager.default.contentsOfDirectory(atPath: machine.root + "/srv").first {
                    $0.hasPrefix("hello_")
                })
            let refused = try await machine.ispy("block", "write", Machine.candy, "1", machine.root + "/srv/" + package)
            #expect(refused.status == 1, "\(refused)")
            let state = try await machine.waitForCandy()
            #expect(state.version == version && state.reason?.contains("the package is hello") == true, "\(state)")
            try await machine.audit()
            try await machine.remove()
        }

        @Test(arguments: Machine.Kind.allCases)
        func `Several programs of one package are updated together, and all go back when one of them fails`(
            kind: Machine.Kind
        ) async throws {
            let machine = try await Machine.start(kind)
            let first = try await machine.waitForCandy().version
            try await machine.shell(
                #"""
                [ ! -d /run/systemd/system ] || systemctl disable --quiet --now candy
                echo '{"enabled": false}' > /etc/iocom/applications/candy.json
                for number in 8 9; do
                    install -d -o iocom-candy /srv/$number
                    openssl rand -base64 24 | install -m 400 -o iocom-candy /dev/stdin /etc/iocom/candy$number.password
                    frank accounts add candy$number --password-file /etc/iocom/candy$number.password
                    instances="$instances${instances:+, }{\"name\": \"$number\", \"data\": \"/srv/$number\", \"arguments\": [
                        \"--data\", \"/srv/$number\", \"--number\", \"$number\",
                        \"--password-file\", \"/etc/iocom/candy$number.password\"]}"
                done
                cat > /etc/iocom/applications/candies.json <<END
                {"package": "iocafe-candy", "user": "iocom-candy", "program": "/usr/bin/candy", "proofSeconds": 15,
                    "arguments": ["run", "--hardware", "linux", "--connect", "tls://localhost", "--trust", "/etc/iocom/trust.pem"],
                    "instances": [$instances]}
                END
                iostart reload
                """#)
            let devices = ["candy8.cafenet", "candy9.cafenet"]
            for device in devices { #expect(try await machine.waitForCandy(device).version == first) }
            // One that takes long in one of the programs is not confirmed before.
            let slow = try await machine.package(
                "candy", Self.next,
                #"mv usr/bin/candy usr/bin/candy.real; "#
                    + #"printf '#!/bin/sh\ncase "$*" in *candy9*) sleep 3;; esac; exec candy.real "$@"\n' > usr/bin/candy; "#
                    + "chmod 755 usr/bin/candy")
            try await machine.write(slow, to: devices[0])
            for device in devices {
                let state = try await machine.waitForCandy(device)
                #expect(state.version == Self.next && state.state == "confirmed", "\(device): \(state)")
            }
            // One that one of the programs can't start with.
            let bad = try await machine.package(
                "candy", "991202-0000",
                #"mv usr/bin/candy usr/bin/candy.real; "#
                    + #"printf '#!/bin/sh\ncase "$*" in *candy9*) exit 4;; esac; exec candy.real "$@"\n' > usr/bin/candy; "#
                    + "chmod 755 usr/bin/candy")
            let written = try await machine.write(bad, to: devices[0], ends: 5)
            #expect(written.errors.contains("ended with status 4"), "\(written)")
            for device in devices { #expect(try await machine.waitForCandy(device).version == Self.next) }
            // Both start at boot.
            try await machine.kill()
            try await machine.boot()
            for device in devices { #expect(try await machine.waitForCandy(device).version == Self.next) }
            try await machine.audit()
            try await machine.remove()
        }

        /// What can be wrong with a new version, as a change of its package, and words of the reason that is told.
        static let faults = [
            ("crashes", #"printf '#!/bin/sh\nexit 3\n' > usr/bin/candy"#, "ended with status 3"),
            ("hangs", #"printf '#!/bin/sh\nexec sleep 1000\n' > usr/bin/candy"#, "did not prove itself within 15 s"),
            (
                "can't connect",
                #"mv usr/bin/candy usr/bin/candy.real; "#
                    + #"printf '#!/bin/sh\nexec candy.real "$@" --connect tls://localhost:1\n' > usr/bin/candy; "#
                    + "chmod 755 usr/bin/candy", "did not reach its server"
            ),
            (
                "its postinst fails",
                #"printf '#!/bin/sh\necho no room for the new tables >&2; exit 3\n' > DEBIAN/postinst"#,
                "no room for the new tables"
            ),
            (
                "the old prerm fails",
                #"printf '#!/bin/sh\n[ "$1" != failed-upgrade ]\n' > DEBIAN/prerm"#, "pre-removal script"
            ),
        ]

        @Test(arguments: Machine.Kind.allCases)
        func `A new version that is no good gives way to the old one, with its data and the reason`(
            kind: Machine.Kind
        ) async throws {
            let machine = try await Machine.start(kind)
            let data = "/var/lib/iocom/candy"
            try await machine.waitForCandy()
            // The version that runs has a prerm that lets nobody go, and data that has to stay whole.
            let first = try await machine.package(
                "candy", "991130-0000",
                #"printf '#!/bin/sh\n[ "$1" != upgrade ] || [ ! -e /root/stubborn ]\n' > DEBIAN/prerm"#)
            try await machine.write(first, ends: 0, "--force")
            try await machine.shell("echo precious > \(data)/precious; chown iocom-candy \(data)/precious")
            for (index, (name, change, reason)) in Self.faults.enumerated() {
                if name == "the old prerm fails" { try await machine.shell("touch /root/stubborn") }
                let bad = try await machine.package("candy", "99120\(index + 1)-0000", change)
                let written = try await machine.write(bad, ends: 5)
                let said = "\(kind) \(name): \(written)"
                #expect(written.errors.contains(reason), "\(said)")
                let state = try await machine.waitForCandy()
                #expect(state.version == "991130-0000", "\(said)")
                #expect(state.reason?.contains(reason) == true, "\(state) \(said)")
                try await machine.audit()
                let precious = try await machine.shell("cat \(data)/precious; stat -c %U \(data)/precious")
                #expect(precious.output == "precious\niocom-candy\n", "\(said)")
            }
            try await machine.shell("rm /root/stubborn")
            let good = try await machine.package("candy", "991231-0000")
            try await machine.write(good)
            try await machine.audit()
            try await machine.remove()
        }
    }
}
