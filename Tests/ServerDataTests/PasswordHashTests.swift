import Access
import Testing

@testable import ServerData

/// Cheap enough for tests.
let cheap = ScryptCost(logRounds: 4, blockSize: 1, passes: 1) ?? .standard

@Suite struct PasswordHashTests {
    @Test(arguments: [
        ("pass", "!WdjEE1b87DwXX81xJEtDpbQ_Y_ecFo6lPzSonKFoSz8"),
        ("secret1", "!Y__qUhVEDNQ9gtHc5QZA2UQGk0e0ph0DCESPzhhSnh5"),
        ("pass123", "!Bcymu_5mECQPvOf-JN6OsVzLNGyzAv1K_owv0KaiQY0"),
    ])
    func hashesOfTheSpecificationAreReproduced(password: String, hash: String) {
        #expect(OriginalHash.of(password) == hash)
        #expect(OriginalHash.hasForm(hash))
        #expect(PasswordHash.verify(stored: hash, presented: password) == .matchToUpgrade)
        #expect(PasswordHash.verify(stored: hash, presented: password + "x") == .mismatch)
        #expect(PasswordHash.verify(stored: hash, presented: "") == .mismatch)
    }

    @Test func aHashIsNoPassword() {
        let hash = OriginalHash.of("pass")
        #expect(PasswordHash.verify(stored: hash, presented: hash) == .mismatch)
    }

    @Test func aStoredStarAcceptsAnyAndAMissingPasswordOnlyNone() {
        #expect(PasswordHash.verify(stored: "*", presented: "anything") == .match)
        #expect(PasswordHash.verify(stored: "*", presented: "") == .match)
        for stored in [nil, ""] {
            #expect(PasswordHash.verify(stored: stored, presented: "") == .match)
            #expect(PasswordHash.verify(stored: stored, presented: "x") == .mismatch)
        }
    }

    @Test func plainTextInADocumentMatchesNothing() {
        for stored in ["pass", "auto", "!short", "!" + String(repeating: "+", count: 43), "$scrypt$", "$"] {
            #expect(PasswordHash(stored: stored) == .unusable)
            #expect(PasswordHash.verify(stored: stored, presented: stored) == .mismatch)
        }
    }

    @Test func aSlowHashVerifiesAndIsDifferentEachTime() throws {
        let a = try PasswordHash.protect(password: "secret1", cost: cheap)
        let b = try PasswordHash.protect(password: "secret1", cost: cheap)
        #expect(a != b)
        for stored in [a, b] {
            #expect(stored.hasPrefix("$scrypt$ln=4,r=1,p=1$"))
            #expect(PasswordHash.verify(stored: stored, presented: "secret1", wanted: cheap) == .match)
            #expect(PasswordHash.verify(stored: stored, presented: "secret1") == .matchToUpgrade)
            #expect(PasswordHash.verify(stored: stored, presented: "secret2") == .mismatch)
            #expect(PasswordHash.verify(stored: stored, presented: "") == .mismatch)
            #expect(SlowHash(text: stored)?.text == stored)
        }
        #expect(try PasswordHash.protect(password: "", cost: cheap) == "")
    }

    @Test func aHashOfTheOriginalIsProtectedWithoutThePassword() throws {
        let text = try SlowHash(original: OriginalHash.of("pass"), cost: cheap).text
        #expect(PasswordHash.verify(stored: text, presented: "pass", wanted: cheap) == .match)
        #expect(throws: PasswordError.notAnOriginalHash) { try SlowHash(original: "pass", cost: cheap) }
    }

    @Test func aKnownScryptResultIsReproduced() {
        // Made with Python's hashlib.scrypt over the original's hash of "pass".
        let stored =
            "$scrypt$ln=14,r=8,p=2$000102030405060708090a0b0c0d0e0f$"
            + "541ae68b41a614c64ed752f994cf697e607268d70594d7b2be16865dc42c1848"
        #expect(PasswordHash.verify(stored: stored, presented: "pass") == .match)
    }

    @Test(arguments: [
        "ln=16,r=8,p=1", "ln=15,r=9,p=1", "ln=99,r=8,p=1", "ln=15,r=8,p=3", "ln=1,r=99,p=1", "ln=1,r=1,p=9",
        "ln=0,r=1,p=1", "ln=-1,r=1,p=1", "ln=4,r=0,p=1", "ln=4,r=1,p=0", "ln=4,r=1", "r=1,ln=4,p=1", "ln=4,r=1,p=1,x=1",
        "ln=99999999999999999999,r=1,p=1", "ln=,r=,p=", "",
    ])
    func aDocumentCannotMakeACheckExpensive(numbers: String) {
        let salt = String(repeating: "ab", count: 16)
        let hash = String(repeating: "cd", count: 32)
        #expect(PasswordHash(stored: "$scrypt$\(numbers)$\(salt)$\(hash)") == .unusable)
    }

    @Test func saltAndHashMustHaveTheirLength() {
        let numbers = "$scrypt$ln=4,r=1,p=1$"
        let salt = String(repeating: "ab", count: 16)
        let hash = String(repeating: "cd", count: 32)
        #expect(SlowHash(text: numbers + salt + "$" + hash) != nil)
        for text in [
            numbers + "$" + hash, numbers + salt + "$", numbers + salt + "ab$" + hash,
            numbers + salt + "$" + hash + "$",
            numbers + salt + "$" + hash.uppercased(), numbers + salt + "$" + hash.dropLast(), numbers + hash,
        ] { #expect(SlowHash(text: text) == nil) }
    }

    @Test func theStandardCostIsWithinItsOwnLimits() {
        let cost = ScryptCost.standard
        #expect(ScryptCost(logRounds: cost.logRounds, blockSize: cost.blockSize, passes: cost.passes) == cost)
        #expect(cost.memory == 16 << 20)
    }

    @Test func randomTextNeverTrapsTheReader() {
        var random = SeededGenerator(seed: 1)
        let alphabet = Array("$!*scrypt=,lnrp0123456789abcdef")
        for _ in 0..<20000 {
            let text = String(
                (0..<Int.random(in: 0..<60, using: &random)).map { _ in
                    alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                })
            if case .slow = PasswordHash(stored: text) { Issue.record("accepted \(text)") }
        }
    }
}
