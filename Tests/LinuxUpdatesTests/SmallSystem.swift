import ByteTools
import Glibc
import LinuxUpdates
import Synchronization
import Testing
import UpdateTesting

/// A folder that holds a whole, very small Debian system: a package database and a shell for the scripts of packages.
/// Everything that dpkg does here is real; nothing outside of the folder is touched.
final class SmallSystem: Sendable {
    /// True where such a system can be made: dpkg changes its root, which only root may.
    static let isPossible =
        geteuid() == 0
        && ["/usr/bin/dpkg", "/usr/bin/dpkg-deb", "/bin/dash"]
            .allSatisfy { Folder.entry($0) != nil }

    let folder: TemporaryFolder
    var root: String { folder.path + "/root" }
    var data: String { root + "/var/lib/iocom/hello" }
    var dpkg: Dpkg { Dpkg(root: root) }

    init() throws {
        folder = try TemporaryFolder()
        try run(
            #"""
            set -e
            mkdir -p "$1/root/var/lib/dpkg/info" "$1/root/var/lib/dpkg/updates" "$1/root/bin" "$1/root/usr/bin" "$1/root/tmp"
            : > "$1/root/var/lib/dpkg/status"
            for file in /bin/dash /bin/rm; do
                cp "$file" "$1/root/bin/"
                ldd "$file" | grep -o '/[^ ]*' | while read -r library; do
                    mkdir -p "$1/root$(dirname "$library")"
                    cp --dereference "$library" "$1/root$library"
                done
            done
            ln -s dash "$1/root/bin/sh"
            mkdir -p "$1/root/var/lib/iocom/hello"
            echo old > "$1/root/var/lib/iocom/hello/state"
            """#, [folder.path])
    }

    /// Makes a package `iocafe-hello` whose program says its version; `scripts` are texts of maintainer scripts.
    func package(
        _ version: String, name: String = "iocafe-hello", architecture: String = "all", fields: String = "",
        scripts: [String: String] = [:], settings: String = "# settings"
    ) throws -> String {
        let tree = folder.path + "/tree-\(name)-\(version)"
        try run(
            #"""
            set -e
            mkdir -p "$1/DEBIAN" "$1/usr/bin" "$1/etc"
            printf '#!/bin/sh\necho %s\n' "$2" > "$1/usr/bin/${3#iocafe-}"
            chmod 755 "$1/usr/bin/${3#iocafe-}"
            printf '%s\n' "$6" > "$1/etc/$3.conf"
            echo "/etc/$3.conf" > "$1/DEBIAN/conffiles"
            printf 'Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: x <x@example.org>\n%sDescription: x\n' \
                "$3" "$2" "$4" "$5" > "$1/DEBIAN/control"
            """#, [tree, version, name, architecture, fields, settings])
        for (script, text) in scripts {
            let path = tree + "/DEBIAN/" + script
            try ReplacementFile.write(path, Array("#!/bin/sh\n\(text)\n".utf8))
            chmod(path, 0o755)
        }
        let path = folder.path + "/\(name)_\(version).deb"
        try run(#"dpkg-deb --root-owner-group -Zgzip --build "$1" "$2""#, [tree, path])
        return path
    }

    /// Installs as the owner of the machine would.
    func install(_ path: String) throws {
        try run(#"dpkg --root="$1" --install "$2""#, [root, path])
    }

    @discardableResult
    func run(_ script: String, _ arguments: [String]) throws -> String {
        let result = try Subprocess.run(
            "/bin/sh", ["-c", script, "sh"] + arguments, outputLimit: 1 << 20, milliseconds: 60_000)
        guard result.status == 0 else {
            throw StorageFailure("\(script)\n\(String(decoding: result.output + result.errors, as: UTF8.self))")
        }
        return String(decoding: result.output, as: UTF8.self)
    }

    /// What the installed program says.
    func says() throws -> String {
        try run(#"tail -n 1 "$1""#, [root + "/usr/bin/hello"]).split(separator: " ").last
            .map { String($0.filter { $0 != "\n" }) } ?? ""
    }

    func state() throws -> String { try run(#"cat "$1""#, [data + "/state"]).filter { $0 != "\n" } }

    /// True when nothing is half done.
    func isClean() throws -> Bool { try run(#"dpkg --root="$1" --audit"#, [root]).isEmpty }
}

/// Notes what an application was told; `started` is what it does then.
final class NotedControl: ApplicationControl {
    private let notes = Mutex<[String]>([])
    private let started: @Sendable () -> Void
    private let stopping: @Sendable () -> Void

    /// `started` is done when the application is started, `stopping` before it is stopped.
    init(started: @escaping @Sendable () -> Void = {}, stopping: @escaping @Sendable () -> Void = {}) {
        self.started = started
        self.stopping = stopping
    }

    func restart() throws(StorageFailure) {
        notes.withLock { $0.append("restart") }
        started()
    }

    let summary = "noted"
    private let ended = Mutex<Crashes?>(nil)

    func crashes() -> Crashes? { ended.withLock { $0 } }

    /// From now on it seems to have crashed so.
    func crash(_ crashes: Crashes?) { ended.withLock { $0 = crashes } }

    func stop() throws(StorageFailure) {
        stopping()
        notes.withLock { $0.append("stop") }
    }

    /// What was noted since the last call.
    func take() -> [String] {
        notes.withLock { notes in
            defer { notes = [] }
            return notes
        }
    }
}
