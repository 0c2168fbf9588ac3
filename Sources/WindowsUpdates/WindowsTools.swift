import ByteTools

/// The programs of Windows that install packages and start services, run one at a time. Blocking: not for an event loop.
///
/// On Windows they are started as they are; elsewhere through a launcher that has a Windows of its own, like wine.
public struct WindowsTools: Sendable {
    /// What a tool may say; more ends it.
    private static let mostOutput = 1 << 20

    /// The command that starts programs of Windows, an absolute path first; empty on Windows itself.
    public let launcher: [String]
    /// Variables for it, each as `NAME=value`.
    public let environment: [String]

    /// Tools behind a launcher.
    public init(launcher: [String], environment: [String] = []) {
        self.launcher = launcher
        self.environment = environment
    }

    #if os(Windows)
    /// The tools of this machine.
    public static let native = WindowsTools(launcher: [])
    #endif

    /// The Windows in a wine prefix, without windows on a screen; its drive `Z:` is the root of this machine.
    public static func wine(prefix: String, program: String = "/usr/bin/wine") -> WindowsTools {
        WindowsTools(
            launcher: [program],
            environment: [
                "WINEPREFIX=" + prefix, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=;winemenubuilder.exe=d",
                "HOME=" + prefix, "DISPLAY=",
            ])
    }

    /// Runs a tool by its name without `.exe`.
    func run(_ tool: String, _ arguments: [String], milliseconds: Int) throws(StorageFailure) -> Subprocess.Result {
        let command: [String]
        if let first = launcher.first {
            command = [first] + launcher.dropFirst() + [tool] + arguments
        } else {
            command = ["C:\\Windows\\System32\\\(tool).exe"] + arguments
        }
        return try Subprocess.run(
            command[0], Array(command.dropFirst()), environment: environment, outputLimit: Self.mostOutput,
            milliseconds: milliseconds)
    }

    /// A path of this machine as programs of Windows see it.
    func windowsPath(_ path: String) -> String {
        guard !launcher.isEmpty else { return path }
        return "Z:" + String(path.map { $0 == "/" ? "\\" : $0 })
    }
}
