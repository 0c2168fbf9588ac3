public import Installers

/// A package made for a test.
public struct TestPackage: Sendable, Equatable {
    /// What the program in it says of itself.
    public let version: String
    /// The file.
    public let bytes: [UInt8]
    /// What of it lies where the program runs; the file itself without another.
    public let program: [UInt8]

    /// A package.
    public init(version: String, bytes: [UInt8], program: [UInt8]? = nil) {
        self.version = version
        self.bytes = bytes
        self.program = program ?? bytes
    }
}

/// A kind of device whose installer keeps to the contract of installers (``InstallerContract``). One file with a type of this
/// kind, and one for its ``DeviceUnderTest``, is all that a new target needs for the whole suite and for the power cuts
/// (docs/adding-a-target.md).
///
/// Everything is the real thing: the packages are files as an operator has them, the installer is the one that runs on the
/// device, only the hardware may be an exact model.
public protocol InstallerUnderTest: Sendable, CustomStringConvertible {
    /// Name in the output of tests.
    var description: String { get }

    /// A package for this device and the application that it runs. The program has about `size` bytes and says that it is
    /// `version`; two calls with the same arguments give the same bytes. `behaviour` is how it does when it runs
    /// (`ProgramBehaviour`); a target whose programs are really executed makes one that does so.
    func package(_ version: String, size: Int, behaviour: ProgramBehaviour) throws -> TestPackage

    /// A device as it leaves the factory: `program` runs and has proved itself, settings are stored. It is switched off.
    func device(running program: TestPackage) throws -> any DeviceUnderTest

    /// Packages that a device must refuse although nothing is damaged: for other hardware, another application, another
    /// format, no package at all; with a name each.
    func wrongPackages() throws -> [(name: String, bytes: [UInt8])]

    /// A good package that is larger than its place; nil when nothing is too large.
    func tooLargePackage() throws -> [UInt8]?

    /// A copy of `package` with damage that a checksum must notice, at a random place. Without an own one a flipped bit.
    func damaged(_ package: [UInt8], _ random: inout SeededGenerator) -> [UInt8]

    /// How a program may fail that is on trial, as far as this target can show it.
    var failures: [ProgramBehaviour] { get }

    /// How often what is tried at random places is tried, and how many pieces a package may be cut into. 40 when nothing is
    /// said; fewer where an installation takes seconds.
    var samples: Int { get }

    /// Bytes of program for most tests: several erase units.
    var programSize: Int { get }

    /// The power can be cut at each operation (``DeviceUnderTest/observe(_:)``). False where what is written is a file
    /// system or a package manager, which are tested another way.
    var isCutByOperation: Bool { get }
}

extension InstallerUnderTest {
    /// Nothing is too large.
    public func tooLargePackage() throws -> [UInt8]? { nil }

    /// One flipped bit.
    public func damaged(_ package: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var wrong = package
        let bit = Int.random(in: 0..<package.count * 8, using: &random)
        wrong[bit / 8] ^= 1 << (bit % 8)
        return wrong
    }

    /// A bad self-test, one that hangs, a crash at the start.
    public var failures: [ProgramBehaviour] {
        [
            ProgramBehaviour(selfTest: .fails), ProgramBehaviour(selfTest: .neverEnds),
            ProgramBehaviour(crashesAtBoot: true),
        ]
    }
    /// 40.
    public var samples: Int { 40 }
    /// 20,000.
    public var programSize: Int { 20_000 }
    /// It can.
    public var isCutByOperation: Bool { true }

    /// A package with a program that does well.
    public func package(_ version: String, size: Int? = nil) throws -> TestPackage {
        try package(version, size: size ?? programSize, behaviour: ProgramBehaviour())
    }
}

/// What a start ended in.
public struct StartedProgram: Sendable, Equatable {
    /// How the program behaves.
    public let behaviour: ProgramBehaviour
    /// It has to prove itself.
    public let isOnTrial: Bool

    /// A program that was started.
    public init(behaviour: ProgramBehaviour, isOnTrial: Bool) {
        self.behaviour = behaviour
        self.isOnTrial = isOnTrial
    }
}

/// One device of a kind; what is in its memory and what is on its flash.
public protocol DeviceUnderTest: AnyObject, Sendable {
    /// Switches it on, or off and on: what was in memory is gone, boot loaders do their work. Throws when nothing starts.
    func start() throws -> StartedProgram
    /// What an operator's tool does before a package is uploaded, a signed manifest for example; nothing without an own one.
    func prepare(for package: [UInt8]) throws
    /// What packages are installed through since the last start.
    var installer: any ProgramInstaller { get throws }
    /// The running program proves itself.
    func confirm() throws
    /// The running program is given up for the one before, as an operator or the program itself does it; the next start runs
    /// that one. Throws when there is none.
    func giveUp() throws
    /// The program of this package runs, every byte of it where that can be looked at.
    func runs(_ package: TestPackage) throws -> Bool
    /// Throws when a setting changed since the factory.
    func checkSettings() throws
    /// Throws when what the device keeps about its programs does not stand for one that runs and proved itself.
    func checkRecords() throws
    /// Sets who is shown each operation before it is done; nil for nobody. Only where
    /// ``InstallerUnderTest/isCutByOperation``.
    func observe(_ observer: DeviceObserver?)
}

extension DeviceUnderTest {
    /// Nothing is done.
    public func prepare(for package: [UInt8]) throws {}
    /// Nothing to check.
    public func checkRecords() throws {}
    /// Nothing to show.
    public func observe(_ observer: DeviceObserver?) {}
}

/// Is shown an operation before it is done; what it shows is only good during the call.
public typealias DeviceObserver = @Sendable (any DeviceOperation) -> Void

/// One thing that a device is about to do to what outlives a loss of power.
public protocol DeviceOperation {
    /// Where, for messages.
    var place: String { get }
    /// The part of an update that it belongs to when the whole is in `phase`: writing ends where the device first notes
    /// something that a restart would see.
    func phase(in phase: PowerCutCampaign.Phase) -> PowerCutCampaign.Phase
    /// Another device, switched off, as this one would be after a loss of power in the operation.
    func device(after cut: PowerCut, _ random: inout SeededGenerator) throws -> any DeviceUnderTest
}

/// What was found wrong.
public struct ContractBreach: Error, CustomStringConvertible {
    /// For people.
    public let description: String

    /// What is wrong.
    public init(_ description: String) { self.description = description }
}

extension DeviceUnderTest {
    /// Installs a package in pieces of `piece` bytes; the next start runs it.
    @discardableResult
    public func install(_ package: [UInt8], piece: Int = 1000) throws -> InstalledProgram {
        let installer = try begin(package)
        try feed(package, to: installer, piece: piece)
        return try installer.finish()
    }

    /// Starts an installation.
    func begin(_ package: [UInt8]) throws -> any ProgramInstaller {
        try prepare(for: package)
        let installer = try installer
        try installer.start()
        return installer
    }

    /// Hands the first `limit` bytes of a package to an installer that was started.
    func feed(_ package: [UInt8], to installer: any ProgramInstaller, piece: Int, limit: Int = .max) throws {
        let end = min(package.count, limit)
        var offset = 0
        while offset < end {
            try installer.append(Array(package[offset..<min(end, offset + piece)]))
            offset += piece
        }
    }

    /// Starts, proves or gives up as the programs do, until one stays.
    public func settle() throws {
        for _ in 0..<6 {
            let started = try start()
            if started.behaviour.crashesAtBoot { continue }
            guard started.isOnTrial else { return }
            switch started.behaviour.selfTest {
            case .passes:
                try confirm()
                return
            case .fails: try giveUp()
            // Somebody pulls the plug.
            case .neverEnds: continue
            }
        }
        throw ContractBreach("no program stays")
    }
}
