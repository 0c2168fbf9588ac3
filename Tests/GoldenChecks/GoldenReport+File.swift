import FoundationEssentials

extension GoldenReport {
    /// Checks a file.
    public init(file: String) throws {
        self.init(name: URL(filePath: file).lastPathComponent, recording: try Recording(file: file))
    }

    /// All recordings in a folder, by name.
    public static func files(in folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".jsonl") }.sorted().map { folder + "/" + $0 }
    }

    /// Head of the table.
    public static let head = "conversation".padded(44) + "conn  items  equal  other  replay  result"

    /// One line of the table.
    public var line: String {
        let other = undetermined.values.reduce(0, +)
        let numbers = [(connections, 4), (items, 7), (equal, 7), (other, 7), (comparisons, 8)]
        let result = failures.isEmpty ? "ok" : "\(failures.count) failures"
        return name.padded(44) + numbers.map { String($0.0).padded($0.1, atStart: true) }.joined() + "  " + result
    }
}

extension String {
    fileprivate func padded(_ width: Int, atStart: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - count))
        return atStart ? space + self : self + space
    }
}

extension GoldenReport {
    /// True when the answer of a machine says the same as this report: all numbers, and the words as far as a machine has
    /// them.
    public func agrees(with answer: [String]) -> Bool {
        let own = self.answer
        guard own.count == answer.count else { return false }
        return zip(own, answer).allSatisfy { own, other in
            guard own != other else { return true }
            let parts = other.split(separator: unsaid, omittingEmptySubsequences: false)
            return parts.count > 1 && own.hasPrefix(parts[0]) && own.hasSuffix(parts[parts.count - 1])
        }
    }
}
