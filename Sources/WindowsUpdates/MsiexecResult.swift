/// How a run of `msiexec` ended (winerror.h, "MsiExec.exe and InstMsi.exe error messages").
public enum MsiexecResult: Equatable, Sendable {
    /// 0: done.
    case done
    /// 3010, 1641: done, and Windows has to be restarted to use all of it.
    case restartNeeded
    /// 1618: another installation is under way.
    case busy
    /// 1603, 1627: a step failed.
    case failed
    /// 1602: somebody cancelled it.
    case cancelled
    /// 1638: another version of this very product is installed.
    case otherVersion
    /// 1605: the product is not installed.
    case notInstalled
    /// 1619, 1620, 2: the package can't be opened.
    case unreadable
    /// 1625: the rules of the machine forbid it.
    case forbidden
    /// 1633: for another kind of machine.
    case wrongMachine
    /// 1601: the service of Windows Installer does not answer.
    case noService
    /// Another code.
    case other(Int32)

    /// Codes that are known; no two have the same lower byte, which is all that some launchers tell of a code.
    private static let codes: [(code: Int32, result: MsiexecResult)] = [
        (0, .done), (3010, .restartNeeded), (1641, .restartNeeded), (1618, .busy), (1603, .failed), (1627, .failed),
        (1602, .cancelled),
        (1638, .otherVersion), (1605, .notInstalled), (1619, .unreadable), (1620, .unreadable), (2, .unreadable),
        (1625, .forbidden), (1633, .wrongMachine), (1601, .noService),
    ]

    /// The result of an exit code, of which `status` may be the lower byte.
    public init(status: Int32) {
        let known = Self.codes.first { $0.code == status } ?? Self.codes.first { $0.code & 0xFF == status }
        self = known?.result ?? .other(status)
    }

    /// The text for people.
    public var text: String {
        switch self {
        case .done: "installed"
        case .restartNeeded: "installed; Windows has to be restarted to use all of it"
        case .busy: "another installation is under way on this machine"
        case .failed: "a step of the installation failed (1603)"
        case .cancelled: "the installation was cancelled (1602)"
        case .otherVersion: "another version of this product is installed and the package does not replace it (1638)"
        case .notInstalled: "the product is not installed (1605)"
        case .unreadable: "Windows Installer can't open the package (1619)"
        case .forbidden: "the rules of this machine forbid the installation (1625)"
        case .wrongMachine: "the package is for another kind of machine (1633)"
        case .noService: "the service of Windows Installer does not answer (1601)"
        case .other(let code): "msiexec ended with code \(code)"
        }
    }

    /// The product is installed, respectively removed.
    var isGood: Bool { self == .done || self == .restartNeeded }
}
