import IOCOM
import Installers

/// What every installer has to do, whatever it writes to. Each clause throws a ``ContractBreach``, or an error of the device,
/// when it is not kept.
///
///     @Test(arguments: InstallerContract.Clause.allCases)
///     func `My device keeps the contract of installers`(clause: InstallerContract.Clause) throws {
///         try InstallerContract(MyTarget()).check(clause)
///     }
public struct InstallerContract: Sendable {
    /// A part of the contract.
    public enum Clause: String, Sendable, CaseIterable, CustomStringConvertible {
        /// A package in pieces of any size is installed, starts on trial, proves itself and stays.
        case pieces
        /// An installation that was cancelled, or forgotten, after any number of bytes changes nothing.
        case cancelled
        /// A package with any damage is refused.
        case damaged
        /// Packages for others are refused.
        case wrongPackage
        /// A package that is larger than its place is refused as such.
        case noSpace
        /// A program that gives no proof is left by the next start.
        case unproved
        /// A program is given up on request, and only for one that proved itself.
        case rolledBack
        /// Nothing is taken while a program is on trial or waits for its start, and nothing without a start.
        case busy
        /// Power cuts at every operation leave the old or the new program.
        case powerCuts

        /// Name in the output of tests.
        public var description: String { rawValue }
    }

    /// The kind of device.
    public let target: any InstallerUnderTest

    /// The contract for a kind of device.
    public init(_ target: any InstallerUnderTest) { self.target = target }

    /// Checks one clause.
    public func check(_ clause: Clause) throws {
        switch clause {
        case .pieces: try pieces()
        case .cancelled: try cancelled()
        case .damaged: try damaged()
        case .wrongPackage: try wrongPackage()
        case .noSpace: try noSpace()
        case .unproved: try unproved()
        case .rolledBack: try rolledBack()
        case .busy: try busy()
        case .powerCuts: try powerCuts()
        }
    }

    // MARK: Tools

    private func expect(_ isTrue: Bool, _ text: @autoclosure () -> String) throws {
        guard isTrue else { throw ContractBreach("\(target): \(text())") }
    }

    /// The error with which something is refused.
    @discardableResult
    private func refusal(_ what: String, _ action: () throws -> Void) throws -> any Error {
        do { try action() } catch { return error }
        throw ContractBreach("\(target): \(what) was not refused")
    }

    /// A device that was started with the first program.
    private func device() throws -> (device: any DeviceUnderTest, first: TestPackage) {
        let first = try target.package("260101-0000")
        let device = try target.device(running: first)
        let started = try device.start()
        try expect(!started.isOnTrial, "a program from the factory is on trial")
        try expect(try device.runs(first), "the factory's program does not run")
        try device.checkSettings()
        return (device, first)
    }

    /// After a restart the package's program runs and is not on trial.
    private func expectUnchanged(_ device: any DeviceUnderTest, _ package: TestPackage, after what: String) throws {
        let started = try device.start()
        try expect(try device.runs(package), "after \(what) another program runs")
        try expect(!started.isOnTrial, "after \(what) the program is on trial")
        try device.checkSettings()
    }

    private func installAndConfirm(_ package: TestPackage, on device: any DeviceUnderTest, piece: Int = 1000) throws {
        let installed = try device.install(package.bytes, piece: piece)
        try expect(installed.version == package.version, "\(package.version) is said to be \(installed.version)")
        let started = try device.start()
        try expect(try device.runs(package), "\(package.version) was installed and does not run")
        try expect(started.isOnTrial, "\(package.version) is not on trial at its first start")
        try device.confirm()
        try expectUnchanged(device, package, after: "the proof of \(package.version)")
    }

    // MARK: Clauses

    private func pieces() throws {
        var sizes = [1_000_000_000, 4096, 4095, 4097, 1000, 1]
        if target.samples < 10 { sizes = [1_000_000_000, 4095] }
        let (device, _) = try device()
        for (index, size) in sizes.enumerated() {
            // Another size as well, so that what was there before is longer or shorter.
            let length = target.programSize / (size == 1 ? 8 : 1) + 999 * (index % 3)
            try installAndConfirm(target.package("26010\(index + 2)-0000", size: length), on: device, piece: size)
            try device.checkRecords()
        }
    }

    private func cancelled() throws {
        let (device, first) = try device()
        let next = try target.package("260102-0000", size: target.programSize + 500)
        var random = SeededGenerator(seed: 11)
        var counts = [0, 1, next.bytes.count - 1, next.bytes.count]
        for _ in 0..<max(1, target.samples / 4) { counts.append(Int.random(in: 2..<next.bytes.count, using: &random)) }
        for count in counts {
            let installer = try device.begin(next.bytes)
            try device.feed(next.bytes, to: installer, piece: 1500, limit: count)
            installer.cancel()
            try refusal("the end of a cancelled installation") { _ = try installer.finish() }
            try refusal("a piece for a cancelled installation") { try installer.append([1]) }
            installer.cancel()
            try expectUnchanged(device, first, after: "an installation cancelled after \(count) bytes")
            // Forgotten: the power goes.
            try device.feed(next.bytes, to: device.begin(next.bytes), piece: 1500, limit: count)
            try expectUnchanged(device, first, after: "an installation forgotten after \(count) bytes")
        }
        // Begun, and begun again without an end.
        try device.feed(next.bytes, to: device.begin(next.bytes), piece: 1500, limit: next.bytes.count / 2)
        try installAndConfirm(next, on: device)
    }

    private func damaged() throws {
        let (device, first) = try device()
        let next = try target.package("260102-0000", size: target.programSize / 4)
        var random = SeededGenerator(seed: 12)
        func expectRefused(_ bytes: [UInt8], _ what: String) throws {
            let error = try refusal(what) { try device.install(bytes) }
            try expect(error is InstallError, "\(what) ends in \(error)")
            try expect(try device.runs(first), "\(what) changed the program that runs")
        }
        for number in 0..<target.samples {
            try expectRefused(target.damaged(next.bytes, &random), "damage \(number)")
        }
        for number in 0..<max(2, target.samples / 4) {
            let count = number == 0 ? 0 : Int.random(in: 1..<next.bytes.count * 9 / 10, using: &random)
            try expectRefused(Array(next.bytes.prefix(count)), "a package cut off after \(count) bytes")
        }
        try expectRefused(next.bytes + random.bytes(100), "a package with bytes behind its end")
        try expectUnchanged(device, first, after: "damaged packages")
        try installAndConfirm(next, on: device)
    }

    private func wrongPackage() throws {
        let (device, first) = try device()
        let wrong = try target.wrongPackages()
        try expect(wrong.count >= 3, "only \(wrong.count) wrong packages to try")
        for (name, bytes) in wrong {
            let error = try refusal("a package for others (\(name))") { try device.install(bytes) }
            // Damage can't always be told from what is no package at all.
            let status = (error as? InstallError)?.status
            try expect(
                status == .programmingFailed || status == .checksumMismatch || status == .notAuthorized,
                "a package for others (\(name)) ends in \(error)")
            try expect(!"\(error)".isEmpty, "no reason is given")
        }
        try expectUnchanged(device, first, after: "packages for others")
        try installAndConfirm(target.package("260102-0000"), on: device)
    }

    private func noSpace() throws {
        guard let large = try target.tooLargePackage() else { return }
        let (device, first) = try device()
        let error = try refusal("a package that is too large") { try device.install(large, piece: 60_000) }
        try expect((error as? InstallError)?.status == .discFull, "a package that is too large ends in \(error)")
        try expectUnchanged(device, first, after: "a package that is too large")
        try installAndConfirm(target.package("260102-0000"), on: device)
    }

    private func unproved() throws {
        for (index, behaviour) in target.failures.enumerated() {
            let (device, first) = try device()
            let bad = try target.package(
                "260102-000\(index)", size: target.programSize, behaviour: behaviour)
            try device.install(bad.bytes)
            try device.settle()
            try expect(try device.runs(first), "a program stays that \(behaviour)")
            try device.checkSettings()
            try device.checkRecords()
            // The program that failed is no way back.
            try refusal("going back to a program that failed") { try device.giveUp() }
            try expectUnchanged(device, first, after: "a program that failed")
            try installAndConfirm(target.package("260103-0000"), on: device)
        }
    }

    private func rolledBack() throws {
        let (device, first) = try device()
        try refusal("going back where there was nothing before") { try device.giveUp() }
        try expectUnchanged(device, first, after: "going back where there was nothing before")
        let second = try target.package("260102-0000", size: target.programSize + 3000)
        try installAndConfirm(second, on: device)
        try device.giveUp()
        try expectUnchanged(device, first, after: "going back")
        try device.checkRecords()
        // The program that was given up is no way back.
        try refusal("going back to a program that was given up") { try device.giveUp() }
        try expectUnchanged(device, first, after: "going back twice")
        // On trial, then again to the end.
        try device.install(second.bytes)
        _ = try device.start()
        try device.giveUp()
        try expectUnchanged(device, first, after: "going back from a program on trial")
        try installAndConfirm(target.package("260103-0000"), on: device)
    }

    private func busy() throws {
        let (device, first) = try device()
        let second = try target.package("260102-0000")
        let third = try target.package("260103-0000")
        try refusal("a piece without a start") { try device.installer.append(Array(second.bytes.prefix(100))) }
        try refusal("an end without a start") { _ = try device.installer.finish() }
        try device.installer.cancel()
        try expectUnchanged(device, first, after: "calls without a start")
        try device.install(second.bytes)
        // It waits for the restart: what was verified is what has to start.
        try refusal("a program while another waits for its start") { try device.install(third.bytes) }
        try refusal("an end after the end") { _ = try device.installer.finish() }
        let started = try device.start()
        try expect(try device.runs(second) && started.isOnTrial, "a refused package changed what was installed")
        try refusal("a program while another is on trial") { try device.install(third.bytes) }
        try device.confirm()
        try expectUnchanged(device, second, after: "a program that came during a trial")
        // Going back and an installation exclude each other, or the one that came last is done as a whole.
        try device.feed(third.bytes, to: device.begin(third.bytes), piece: 1000, limit: third.bytes.count / 2)
        let isBack = (try? device.giveUp()) != nil
        try expectUnchanged(device, isBack ? first : second, after: "going back during an installation")
        try installAndConfirm(third, on: device)
    }

    private func powerCuts() throws {
        guard target.isCutByOperation else { return }
        let report = try PowerCutCampaign(target, mostSecondCuts: 200).run()
        print(report.summary(of: "\(target)"))
        try expect(report.failureCount == 0, "\(report.failures.prefix(5))")
        for phase in PowerCutCampaign.Phase.allCases {
            try expect(
                (report.cuts[phase] ?? 0) >= 12, "only \(report.cuts[phase] ?? 0) cuts in phase \(phase.rawValue)")
        }
        try expect(report.totalSecondCuts >= 40, "only \(report.totalSecondCuts) second cuts")
        try expect(report.oldProgram > 0 && report.newProgram > 0, "cuts leave always the same program")
    }
}
