import ByteTools
import Installers
import Programs
import UpdateTesting

@testable import WindowsUpdates

/// A Windows of a few lines of shell: `msiexec`, `reg` and `sc` over files, for what takes too long with real ones. It can
/// stop working before or after any command, as a machine does whose power is cut.
struct ScriptedWindows {
    let folder: TemporaryFolder
    var path: String { folder.path }

    private static let script = #"""
        #!/bin/sh
        # state: products/CODE holds its version, running and answer the service; calls counts. How it behaves:
        # before, after: the number of the command at which it stops; busy, stuck: msiexec can't work at all, can't remove;
        # hold: msiexec waits; mute: reg does not answer; silent: versions that say nothing; stale: one that says it when
        # it is stopped. When it stops, what the device has on its disk is copied as it is then.
        state=$(dirname "$0")
        cd "$state"
        calls=$(($(cat calls 2>/dev/null || echo 0) + 1)); echo $calls > calls
        cut() { mv windows off; mkdir -p device.cut; cp device/* device.cut/; }
        [ ! -f before ] || [ "$calls" != "$(cat before)" ] || { cut; exit 1; }
        trap '[ ! -f after ] || [ "$calls" != "$(cat after)" ] || cut' EXIT
        tool=$1; shift
        case $tool in
        msiexec)
            how=$1 what=$2
            echo "$@" >> asked
            if [ -f hold ]; then touch held; n=0; while [ -f hold ] && [ $((n += 1)) -lt 6000 ]; do sleep 0.05; done; fi
            [ ! -f busy ] || exit 82
            [ ! -f stuck ] || [ "$how" != /x ] || exit 67
            if [ -s codes ]; then
                code=$(head -n 1 codes); sed -i 1d codes
                if [ "$code" != 0 ]; then printf 'Error 1722. It can not be done.\r\n' > log; exit "$code"; fi
            fi
            if [ "$how" = /x ]; then
                [ -f "products/$what" ] || exit 69
                rm -f "products/$what" running answer
            else
                file=$(printf %s "$what" | sed -e 's/^Z://' -e 's|\\|/|g')
                [ -f "$file" ] || exit 83
                said=$(grep -ao '[0-9][0-9.]*{[^}]*}' "$file" | head -n 1)
                version=$(printf %s "$said" | sed 's/{.*//')
                # The package replaces what is older.
                rm -f products/* running answer
                printf %s "$version" > "products/$(printf %s "$said" | sed 's/.*{\(.*\)}/{\1}/')"
            fi ;;
        reg)
            key=$2 name=$4
            [ ! -f mute ] || exit 1
            case $1:$key in
            query:*Uninstall*) value=$(cat "products/${key##*\\}" 2>/dev/null) ;;
            query:*CurrentVersion) value='C:\Program Files' ;;
            query:*) value=$(cat answer 2>/dev/null) ;;
            delete:*) rm -f answer ;;
            esac
            [ "$1" = delete ] || { [ -n "$value" ] || exit 1; printf '\n    %s    REG_SZ    %s\n' "$name" "$value"; } ;;
        sc)
            case $1 in
            query)
                echo "SERVICE_NAME: $2"
                if [ -f running ]; then echo '  STATE  : 4  RUNNING'; else echo '  STATE  : 1  STOPPED'; fi ;;
            stop) rm -f running; [ ! -f stale ] || cat stale > answer ;;
            start) touch running; grep -qxF "$(cat products/*)" silent 2>/dev/null || cat products/* > answer ;;
            esac ;;
        esac
        """#

    init() throws {
        folder = try TemporaryFolder()
        folder.makeFolder("products")
        _ = try folder.write("windows", Array(Self.script.utf8))
        try File(path + "/windows", .update).setMode(0o755)
    }

    func machine(_ application: String = "gina") throws -> WindowsMachine {
        let tools = WindowsTools(launcher: [path + "/windows"])
        return try WindowsMachine(
            application: application, architecture: .amd64, folder: path + "/device", tools: tools,
            msiexec: Msiexec(tools, log: path + "/log", mostWaits: 2, waitTime: 0), answerTime: 300, workTime: 100)
    }

    /// A package of the application.
    static func package(_ version: String, _ change: (inout MSIBuilder) -> Void = { _ in }) throws -> [UInt8] {
        var builder = MSIBuilder()
        let digits = version.filter(\.isNumber)
        builder.properties[2].value = WindowsVersion(try ProgramVersion(version))?.description ?? ""
        builder.properties[3].value = "{CCB92118-61AD-4F9A-AF70-00" + digits + "}"
        change(&builder)
        return builder.bytes
    }

    /// Installs a package, in pieces.
    func install(_ bytes: [UInt8], on machine: WindowsMachine) throws -> InstalledProgram {
        let installer = WindowsInstaller(machine)
        try installer.start()
        for start in stride(from: 0, to: bytes.count, by: 1000) {
            try installer.append(Array(bytes[start..<min(bytes.count, start + 1000)]))
        }
        return try installer.finish()
    }

    /// Sets, or with nil removes, one of the files that say how it behaves.
    func set(_ name: String, _ content: String? = "") throws {
        if let content {
            try ReplacementFile.write(path + "/" + name, Array(content.utf8))
        } else {
            try Folder.remove(name, in: path)
        }
    }

    /// Versions of the products that are installed.
    func installed() throws -> [String] {
        try Folder.names(in: path + "/products", limit: 10).names.map { name in
            let file = try File(path + "/products/" + name, .read)
            let text = String(decoding: try file.read(at: 0, count: file.byteCount), as: UTF8.self)
            return WindowsVersion(text)?.programVersion?.description ?? text
        }
    }

    /// The next command number of the script, and those after it, do not happen; or it does, and those after it do not.
    func cut(at call: Int, isDone: Bool) throws {
        try restore()
        try? Folder.remove("calls", in: path)
        try ReplacementFile.write(path + (isDone ? "/after" : "/before"), Array("\(call)".utf8))
    }

    /// The machine works again, with the disk as it was when it stopped: what the same process wrote later never happened.
    /// True when it had stopped.
    @discardableResult func restore() throws -> Bool {
        for name in ["before", "after"] { try? Folder.remove(name, in: path) }
        guard Folder.entry(path + "/off") != nil else { return false }
        try Folder.replace("windows", with: "off", in: path)
        for name in try Folder.names(in: path + "/device", limit: 100).names {
            try Folder.remove(name, in: path + "/device")
        }
        for name in try Folder.names(in: path + "/device.cut", limit: 100).names {
            let file = try File(path + "/device.cut/" + name, .read)
            try ReplacementFile.copy(file, size: try file.byteCount, to: path + "/device/" + name)
            try Folder.remove(name, in: path + "/device.cut")
        }
        return true
    }
}
