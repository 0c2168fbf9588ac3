import ByteTools

/// What the registry of a Windows says of products and programs, asked with `reg`.
struct WindowsRegistry: Sendable {
    private static let askTime = 60_000
    private static let products = #"HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall\"#
    private static let programs = #"HKLM\Software\IOCOM\"#

    let tools: WindowsTools

    /// What every Windows has: whether the registry can be asked at all.
    private static let alwaysThere = (#"HKLM\Software\Microsoft\Windows\CurrentVersion"#, "ProgramFilesDir")

    /// The version of a product that is installed; nil when it is not. Throws when the registry does not answer: `reg` ends
    /// in the same way then as for what is not there.
    func version(ofProduct code: String) throws(StorageFailure) -> String? {
        if let version = try text(Self.products + code, "DisplayVersion") { return version }
        guard try text(Self.alwaysThere.0, Self.alwaysThere.1) != nil else {
            throw StorageFailure("the registry of this Windows does not answer")
        }
        return nil
    }

    /// The version that a program wrote when it started; nil when it did not since ``forgetAnswer(of:)``.
    func answer(of application: String) throws(StorageFailure) -> String? {
        try text(Self.programs + application, "Running")
    }

    /// Removes what the last start of a program wrote.
    func forgetAnswer(of application: String) throws(StorageFailure) {
        _ = try tools.run(
            "reg", ["delete", Self.programs + application, "/v", "Running", "/f"], milliseconds: Self.askTime)
    }

    private func text(_ key: String, _ name: String) throws(StorageFailure) -> String? {
        let result = try tools.run("reg", ["query", key, "/v", name], milliseconds: Self.askTime)
        guard result.status == 0 else { return nil }
        // A line `    NAME    REG_SZ    VALUE`.
        for line in String(decoding: result.output, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
            guard words.count == 3, words[0] == name, words[1] == "REG_SZ" else { continue }
            let value = words[2].drop { $0 == " " }
            return value.isEmpty ? nil : String(value.prefix(64))
        }
        return nil
    }
}
