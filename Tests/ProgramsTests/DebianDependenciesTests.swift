import Programs
import Testing

@Suite struct DebianDependenciesTests {
    @Test func `Clauses, alternatives and versions are read`() throws {
        let needed = try #require(
            DebianDependencies(parsing: "libc6 (>= 2.36), default-mta | mail-transport-agent,\n python3:any (<< 4~), x")
        )
        #expect(
            needed.clauses.map(\.text) == [
                "libc6 (>= 2.36)", "default-mta | mail-transport-agent", "python3:any (<< 4~)", "x",
            ])
        let names = needed.clauses.map { $0.alternatives.map(\.package) }
        #expect(names == [["libc6"], ["default-mta", "mail-transport-agent"], ["python3"], ["x"]])
        #expect(
            needed.clauses[0].alternatives[0].relation == "ge" && needed.clauses[0].alternatives[0].version == "2.36")
        #expect(needed.clauses[2].alternatives[0].relation == "lt" && needed.clauses[3].alternatives[0].version == nil)
        #expect(DebianDependencies(parsing: "")?.clauses.isEmpty == true)
    }

    @Test(arguments: [
        "libc6 (>= )", "libc6 (about 2)", "LibC6", "-x", "a b (", "x (= -rf)", "x (= 1 2)", "x (= 1",
        String(repeating: "a, ", count: 6_000), String(repeating: "a|", count: 1_001) + "a",
    ])
    func `What is no dependency is refused`(text: String) {
        #expect(DebianDependencies(parsing: text) == nil)
    }
}
