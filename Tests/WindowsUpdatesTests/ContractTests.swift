import ByteTools
import Installers
import Programs
import Synchronization
import Testing
import UpdateTesting

@testable import WindowsUpdates

/// The contract of installers on a Windows of a few lines of shell (``ScriptedWindows``); real ones are end-to-end tests.
@Suite(.serialized) struct ContractTests {
    /// A package of Windows Installer has no checksum of its own, so damage that its reader can't see is what a signature is
    /// for. All other clauses hold without one.
    @Test(arguments: InstallerContract.Clause.allCases.filter { $0 != .damaged && $0 != .powerCuts })
    func `Windows keeps the contract of installers`(clause: InstallerContract.Clause) throws {
        try InstallerContract(WindowsUnderTest()).check(clause)
    }

    @Test(arguments: InstallerContract.Clause.allCases.filter { $0 != .powerCuts })
    func `Windows with keys keeps the contract of installers`(clause: InstallerContract.Clause) throws {
        let signed = SignedUnderTest(WindowsUnderTest(), application: "gina", os: "windows", hardware: "amd64")
        try InstallerContract(signed).check(clause)
    }
}

/// A Windows whose application is installed from packages. Cuts at each of its commands are in ``WindowsMachineTests``.
private struct WindowsUnderTest: InstallerUnderTest {
    var description: String { "windows" }
    var samples: Int { 6 }
    var programSize: Int { 5_000 }
    var isCutByOperation: Bool { false }
    /// A program that starts and says nothing.
    var failures: [ProgramBehaviour] { [ProgramBehaviour(selfTest: .fails)] }

    func package(_ version: String, size: Int, behaviour: ProgramBehaviour) throws -> TestPackage {
        let bytes = try ScriptedWindows.package(version) {
            $0.cabinet = [UInt8](repeating: behaviour.selfTest == .fails ? 0x53 : 0x4D, count: size)
        }
        return TestPackage(version: version, bytes: bytes)
    }

    func wrongPackages() throws -> [(name: String, bytes: [UInt8])] {
        let version = "260102-0000"
        return [
            ("other machine", try ScriptedWindows.package(version) { $0.template = "Intel;1033" }),
            (
                "other product",
                try ScriptedWindows.package(version) {
                    $0.properties[4].value = "{00000000-61AD-4F9A-AF70-000000000000}"
                }
            ),
            ("other application", try ScriptedWindows.package(version) { $0.properties[5].value = "hello" }),
            ("text", Array("This is no package.\n".utf8)), ("nothing", []),
        ]
    }

    func tooLargePackage() throws -> [UInt8]? {
        try package("260102-0000", size: WindowsDevice.limit, behaviour: ProgramBehaviour()).bytes
    }

    func device(running program: TestPackage) throws -> any DeviceUnderTest {
        let device = try WindowsDevice()
        try device.install(program.bytes)
        _ = try device.start()
        try device.confirm()
        try ReplacementFile.write(device.windows.path + "/settings", WindowsDevice.settings)
        return device
    }
}

private final class WindowsDevice: DeviceUnderTest {
    static let settings = Array("what the owner set".utf8)
    /// Bytes of a package; a real device takes what Windows takes.
    static let limit = 100_000

    let windows: ScriptedWindows
    private let machine: WindowsMachine
    private let state: Mutex<WindowsInstaller>

    init() throws {
        windows = try ScriptedWindows()
        machine = try windows.machine()
        _ = machine.start()
        state = Mutex(WindowsInstaller(machine, limit: Self.limit))
    }

    func start() throws -> StartedProgram {
        let started = try windows.machine().start()
        state.withLock { $0 = WindowsInstaller(machine, limit: Self.limit) }
        return StartedProgram(
            behaviour: ProgramBehaviour(selfTest: started.problem == nil ? .passes : .fails),
            isOnTrial: started.isOnTrial)
    }

    /// A program of the package is silent when its maker wanted so.
    func prepare(for package: [UInt8]) throws {
        let file = windows.path + "/seen.msi"
        try ReplacementFile.write(file, package)
        guard let seen = try? PackageInspection(path: file), case .windows(let found) = seen.kind else { return }
        let isSilent = package.suffix(6_000).filter { $0 == 0x53 }.count > 2_000
        try ReplacementFile.write(
            windows.path + "/silent", Array((isSilent ? "\(found.productVersion)\n" : "none\n").utf8))
    }

    var installer: any ProgramInstaller { state.withLock { $0 } }
    func confirm() throws {
        if let problem = try machine.confirm() { throw ContractBreach(problem) }
    }
    func giveUp() throws { try machine.goBack("somebody asked") }
    func runs(_ package: TestPackage) throws -> Bool { try windows.installed() == [package.version] }

    func checkSettings() throws {
        let file = try File(windows.path + "/settings", .read)
        guard try file.read(at: 0, count: file.byteCount) == Self.settings else {
            throw ContractBreach("the settings changed")
        }
    }
}
