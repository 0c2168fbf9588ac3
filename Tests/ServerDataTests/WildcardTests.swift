import Testing

@testable import ServerData

@Suite struct WildcardTests {
    @Test(arguments: [
        ("root*", "root", true), ("root*", "root1", true), ("root*", "Root", false), ("root*", "aroot", false),
        ("frank*.cafenet", "frank12.cafenet", true), ("frank*.cafenet", "frank12.othernet", false),
        ("*", "", true), ("*", "x", true), ("?", "", false), ("?", "x", true), ("??", "x", false), ("", "", true),
        ("", "x", false), ("a*b*c", "aXbYbZc", true), ("a*b*c", "aXbYbZ", false), ("**a**", "a", true),
        ("gina?", "gina12", false), ("*1", "gina11", true), ("a?*", "a", false),
    ])
    func patternsMatchWholeNames(pattern: String, name: String, expected: Bool) {
        #expect(Wildcard.matches(pattern: pattern, name: name) == expected)
    }

    /// Tried in every way, it would not end in a lifetime.
    @Test(.timeLimit(.minutes(1))) func aNastyPatternTakesNoTime() {
        let pattern = String(repeating: "a*", count: 200) + "b"
        let name = String(repeating: "a", count: 2000)
        #expect(!Wildcard.matches(pattern: pattern, name: name))
    }

    /// The definition itself, exponential.
    private func reference(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        if first == UInt8(ascii: "*") {
            return reference(pattern.dropFirst(), name) || (!name.isEmpty && reference(pattern, name.dropFirst()))
        }
        guard let byte = name.first, first == UInt8(ascii: "?") || first == byte else { return false }
        return reference(pattern.dropFirst(), name.dropFirst())
    }

    @Test func itAgreesWithTheDefinition() {
        var random = SeededGenerator(seed: 2)
        for _ in 0..<20000 {
            let pattern = (0..<Int.random(in: 0...7, using: &random)).map { _ in
                Array("ab*?".utf8)[Int.random(in: 0..<4, using: &random)]
            }
            let name = (0..<Int.random(in: 0...7, using: &random)).map { _ in
                Array("ab".utf8)[Int.random(in: 0..<2, using: &random)]
            }
            #expect(Wildcard.matches(pattern: pattern, name: name) == reference(pattern[...], name[...]))
        }
    }
}
