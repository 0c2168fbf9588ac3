public import ByteTools

/// Installs and removes Windows Installer packages without asking anybody. Blocking: not for an event loop.
public struct Msiexec: Sendable {
    /// Longest time for one run, ms.
    private static let longestRun = 900_000
    /// How often a run is tried again while another installation is under way.
    private let mostWaits: Int
    /// Time between, ms.
    private let waitTime: Int

    private let tools: WindowsTools
    private let log: String

    /// The `msiexec` of a Windows; `log` is the file for what it writes down.
    public init(_ tools: WindowsTools, log: String, mostWaits: Int = 60, waitTime: Int = 2_000) {
        self.tools = tools
        self.log = log
        self.mostWaits = mostWaits
        self.waitTime = waitTime
    }

    /// Installs a package for the machine, also when it does not say for whom: one for a user would not be found in the
    /// registry of the machine. With `again` all its files are written again, for a product that is there already.
    public func install(_ package: String, again: Bool = false) throws(StorageFailure) -> MsiexecResult {
        try run(
            ["/i", tools.windowsPath(package), "ALLUSERS=1"]
                + (again ? ["REINSTALL=ALL", "REINSTALLMODE=vamus"] : []))
    }

    /// Removes a product by its code.
    public func remove(_ productCode: String) throws(StorageFailure) -> MsiexecResult { try run(["/x", productCode]) }

    private func run(_ arguments: [String]) throws(StorageFailure) -> MsiexecResult {
        var waits = 0
        while true {
            try? Folder.remove(Folder.split(log).name, in: Folder.split(log).folder)
            let result = try tools.run(
                "msiexec", arguments + ["/qn", "/norestart", "/l*v", tools.windowsPath(log)],
                milliseconds: Self.longestRun)
            let ended = MsiexecResult(status: result.status)
            guard ended == .busy, waits < mostWaits else { return ended }
            waits += 1
            Pause.wait(milliseconds: waitTime)
        }
    }

    /// A result with the decisive lines of the log.
    public func reason(_ result: MsiexecResult) -> String {
        let lines = InstallationLog.reason(log)
        return lines.isEmpty ? result.text : "\(result.text): \(lines)"
    }
}
