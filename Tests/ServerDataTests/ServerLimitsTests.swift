import Foundation
import Testing

@testable import ServerData

@Suite struct ServerLimitsTests {
    private func read(_ limits: String) throws -> ServerSettings {
        try ServerSettings(file: Array("{\"network\": \"cafenet\", \"limits\": \(limits)}".utf8))
    }

    private func problem(_ limits: String) -> String? {
        do {
            _ = try read(limits)
            return nil
        } catch { return "\(error)" }
    }

    @Test func everyLimitHasAStandardValueInItsRangeAndAMeaning() {
        for name in ServerLimits.Name.allCases {
            #expect(name.range.contains(name.standard), "\(name)")
            #expect(!name.meaning.isEmpty)
            #expect(ServerLimits()[name] == name.standard)
        }
        #expect(Set(ServerLimits.Name.allCases.map(\.rawValue)).count == ServerLimits.Name.allCases.count)
    }

    @Test func aPeerThatKeepsToTheProtocolIsNeverIdleForTooLong() {
        #expect(ServerLimits.Name.idleSeconds.range.lowerBound > 10)
    }

    @Test func limitsAreSetByName() throws {
        var limits = ServerLimits()
        try limits.set("handshake_seconds=3")
        try limits.set("connections=7")
        #expect(limits[.handshakeSeconds] == 3 && limits[.connections] == 7)
        #expect(limits.chosenValues.map(\.name) == [.connections, .handshakeSeconds])
        #expect(throws: ServerLimits.Problem.unknown("hands")) { try limits.set("hands=3") }
        #expect(throws: ServerLimits.Problem.form("connections")) { try limits.set("connections") }
        #expect(throws: ServerLimits.Problem.form("=3")) { try limits.set("=3") }
        for text in ["connections=", "connections=-1", "connections=1.5", "connections=9999999999999999999999"] {
            #expect(throws: ServerLimits.Problem.notANumber("connections")) { try limits.set(text) }
        }
        #expect(throws: ServerLimits.Problem.outOfRange(.handshakeSeconds, 0)) { try limits.set("handshake_seconds=0") }
        #expect(limits[.handshakeSeconds] == 3)
    }

    @Test func theFileOfSettingsHoldsLimits() throws {
        let settings = try read("{\"connections\": 12, \"idle_seconds\": 30}")
        #expect(settings.limits[.connections] == 12 && settings.limits[.idleSeconds] == 30)
        #expect(settings.limits[.blocks] == ServerLimits.Name.blocks.standard)
        #expect(try ServerSettings(file: settings.file()) == settings)
        let plain = try ServerSettings(network: "cafenet").file()
        #expect(!String(decoding: plain, as: UTF8.self).contains("limits"))
    }

    @Test func aWrongMemberIsRefusedWithItsName() {
        #expect(problem("{}") == nil)
        #expect(problem("{\"conections\": 12}")?.contains("\"conections\"") == true)
        #expect(problem("{\"connections\": \"12\"}")?.contains("\"connections\" is not a whole number") == true)
        #expect(problem("{\"connections\": 0}")?.contains("\"connections\" can't be 0") == true)
        #expect(problem("{\"connections\": null}")?.contains("\"connections\"") == true)
        #expect(problem("[]") != nil)
    }
}
