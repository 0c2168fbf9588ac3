import ByteTools
import Programs

/// What is done to a Windows for one application: packages put in and taken out, its program started. Nothing is remembered
/// here (``WindowsJournal`` does), and all of it can be done again from its beginning. Blocking.
struct WindowsCommands: Sendable {
    let application: String
    /// Where packages are kept.
    let folder: String
    let msiexec: Msiexec
    let registry: WindowsRegistry
    let services: WindowsServices
    /// How long a service may take to start, and the program to answer, ms; to stop it may take three times as long.
    let answerTime: Int

    // MARK: Packages

    private func path(_ kept: WindowsJournal.Kept) -> String { folder + "/" + kept.file }

    /// The file of a package is there.
    func isKept(_ kept: WindowsJournal.Kept) -> Bool {
        if case .file = Folder.entry(path(kept)) { true } else { false }
    }

    /// Windows knows the product.
    func isInstalled(_ kept: WindowsJournal.Kept) throws(StorageFailure) -> Bool {
        try registry.version(ofProduct: kept.productCode) != nil
    }

    /// Those that Windows knows.
    func installed(of packages: [WindowsJournal.Kept]) throws(StorageFailure) -> [WindowsJournal.Kept] {
        var found: [WindowsJournal.Kept] = []
        for kept in packages where try isInstalled(kept) { found.append(kept) }
        return found
    }

    /// Removes a product; nil when it is gone then, else why it is not.
    private func remove(_ kept: WindowsJournal.Kept) throws(StorageFailure) -> String? {
        let result = try msiexec.remove(kept.productCode)
        guard result.isGood || result == .notInstalled else {
            return "\(kept.version) can't be removed: \(msiexec.reason(result))"
        }
        return try isInstalled(kept) ? "\(kept.version) was removed, but Windows still knows the product" : nil
    }

    /// Installs a package in place of all others of the application; nil when it is installed then, else why it is not.
    ///
    /// Others are removed before when Windows Installer would not put the package over them (the same or an older version,
    /// or another file of the same product); a newer one replaces them itself.
    func put(_ kept: WindowsJournal.Kept, over others: [WindowsJournal.Kept]) throws(StorageFailure) -> String? {
        let version = WindowsVersion(kept.productVersion)
        for other in try installed(of: others) {
            var isOlder = false
            if let version, let old = WindowsVersion(other.productVersion) { isOlder = old < version }
            guard !isOlder || other.productCode == kept.productCode else { continue }
            if let problem = try remove(other) { return problem }
        }
        let result = try msiexec.install(path(kept))
        guard result.isGood else { return msiexec.reason(result) }
        guard try isInstalled(kept) else { return "msiexec reports success, but Windows does not know the product" }
        // Two versions beside each other would both start their services.
        for other in try installed(of: others) where other.productCode != kept.productCode {
            if let problem = try remove(other) { return problem }
        }
        return nil
    }

    /// Removes what was given up and installs the package before it, if there is one. Nothing is removed for a package whose
    /// file is gone: a doubtful program is better than none.
    func takeBack(
        _ givenUp: [WindowsJournal.Kept], to kept: WindowsJournal.Kept?
    ) throws(StorageFailure) {
        if let kept, !isKept(kept) { throw StorageFailure("the package of \(kept.version) is not kept any more") }
        for other in try installed(of: givenUp) {
            if let problem = try remove(other) { throw StorageFailure(problem) }
        }
        guard let kept else { return }
        // What is still there may be damaged by what was cut.
        let result = try msiexec.install(path(kept), again: try isInstalled(kept))
        guard result.isGood, try isInstalled(kept) else {
            throw StorageFailure("\(kept.version) can't be installed again: \(msiexec.reason(result))")
        }
    }

    // MARK: The program

    /// Starts the services of a package; nil when its program answered with its version, else why it did not.
    ///
    /// All of them are stopped before the last answer is removed: a program that still ran could write it once more.
    func startProgram(_ kept: WindowsJournal.Kept) throws(StorageFailure) -> String? {
        guard !kept.services.isEmpty else { return nil }
        for service in kept.services {
            if let problem = try services.stop(service, milliseconds: answerTime * 3) { return problem }
        }
        try registry.forgetAnswer(of: application)
        if let stale = try registry.answer(of: application) {
            return "the answer of the start before, \(stale), can't be removed from the registry"
        }
        for service in kept.services {
            if let problem = try services.start(service, milliseconds: answerTime) { return problem }
        }
        let answers = try services.wait(answerTime) { () throws(StorageFailure) in
            try registry.answer(of: application) == kept.productVersion
        }
        if answers { return nil }
        let said = try registry.answer(of: application)
        return said.map { "the program says that it is \($0), not \(kept.productVersion)" }
            ?? "the service runs, but the program does not answer"
    }

    /// Why a package that was started does not run now: a program may answer and end. Nil when all its services run.
    func problem(of kept: WindowsJournal.Kept) throws(StorageFailure) -> String? {
        for service in kept.services where try services.isRunning(service) != true {
            return "the service \(service) does not run any more"
        }
        return nil
    }
}
