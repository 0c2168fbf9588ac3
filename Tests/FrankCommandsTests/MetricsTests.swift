import IOServer
import Testing

@testable import FrankCommands

@Suite struct MetricsTests {
    @Test func onlyAddressesOfThisMachineAreTaken() throws {
        let usual = try MetricsAddress(parsing: "127.0.0.1:9464")
        #expect(usual.host == "127.0.0.1" && usual.port == 9464)
        #expect(try MetricsAddress(parsing: "localhost") == usual)
        #expect(try MetricsAddress(parsing: "[::1]:0").host == "::1")
        #expect(try MetricsAddress(parsing: "[::1]:0").port == 0)
        for text in ["0.0.0.0:9464", "192.0.2.1:9464", "127.example.com:80", "example.com", "[::]:9464", "", ":9464"] {
            #expect(throws: MetricsAddress.ParseError.self, "\(text)") { try MetricsAddress(parsing: text) }
        }
    }

    @Test func thePageIsOfTheTextFormat() throws {
        let status = try StatusTests.status(version: "1 \"a\\b\"\n2")
        let families = try Exposition.families(MetricsText(status).text)
        #expect(families["frank_devices"]?.samples == ["frank_devices": 2])
        #expect(families["frank_connections"]?.samples["frank_connections{role=\"device\"}"] == 2)
        #expect(families["frank_logins_total"]?.type == "counter")
        for (name, family) in families {
            #expect(name.hasPrefix("frank_") && !family.samples.isEmpty, "\(name)")
            #expect((family.type == "counter") == name.hasSuffix("_total"), "\(name)")
        }
    }

    @Test func nothingOfPeersIsInTheLabels() throws {
        let text = MetricsText(try StatusTests.status()).text
        for secret in ["candy3", "root", "192.0.2.7"] { #expect(!text.contains(secret)) }
    }
}

/// A reader of the text format that takes nothing else.
enum Exposition {
    struct Family {
        var type = ""
        var samples: [String: Double] = [:]
    }

    struct Wrong: Error, CustomStringConvertible {
        let description: String
    }

    static func families(_ text: String) throws -> [String: Family] {
        guard text.last == "\n" else { throw Wrong(description: "the last line does not end") }
        var families: [String: Family] = [:]
        var current = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if line.hasPrefix("# HELP ") {
                current = String(line.dropFirst(7).prefix { $0 != " " })
                guard families[current] == nil, line.count > 8 + current.count else {
                    throw Wrong(description: "help twice or empty: \(line)")
                }
                families[current] = Family()
            } else if line.hasPrefix("# TYPE ") {
                let words = line.dropFirst(7).split(separator: " ")
                guard words.count == 2, words[0] == current, ["counter", "gauge"].contains(words[1]) else {
                    throw Wrong(description: "no type: \(line)")
                }
                families[current]?.type = String(words[1])
            } else {
                // NAME{LABEL="VALUE",…} NUMBER, with \\, \" and \n in values.
                let sample = #/([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-z_]+="([^"\\\n]|\\[\\"n])*",?)+\})? ([0-9.]+)/#
                guard let match = try sample.wholeMatch(in: line), match.1 == current, let value = Double(match.5),
                    families[current]?.type.isEmpty == false
                else { throw Wrong(description: "no sample: \(line)") }
                let key = String(match.1) + (match.2.map(String.init) ?? "")
                guard families[current]?.samples.updateValue(value, forKey: key) == nil else {
                    throw Wrong(description: "twice: \(line)")
                }
            }
        }
        return families
    }
}
