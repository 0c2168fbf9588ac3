import DeviceStorage
import IOCOM
import IODevice
import Testing

@testable import CandyCommands

@Suite struct DeviceSecretTests {
    @Test func theSecretIsMadeOnceAndKept() throws {
        let region = try FlashRegion(NORFlash(size: 64 * 4096), offset: 0, size: 64 * 4096)
        let (made, isNew) = try DeviceSecret.load(from: FlashPersistentStore(region))
        #expect(isNew)
        let (kept, isNewAgain) = try DeviceSecret.load(from: FlashPersistentStore(region))
        #expect(!isNewAgain)
        #expect(kept.password == made.password)
        #expect(made.password.count == 43)
    }

    @Test func theAutomaticPasswordDependsOnEverySecretByte() throws {
        let secret = [UInt8](repeating: 7, count: 32)
        let password = try #require(DevicePassword.automatic(secret: secret))
        for index in secret.indices {
            var other = secret
            other[index] ^= 1
            #expect(DevicePassword.automatic(secret: other) != password)
        }
        #expect(DevicePassword.automatic(secret: Array(secret.dropLast())) == nil)
        #expect(DevicePassword.automatic(secret: []) == nil)
    }

    @Test func theAutomaticPasswordIsTheDigestOfTheSecretWithByteOneFlipped() {
        // SHA-256 of 00 05 00 … 00 (32 bytes) made with Python's hashlib, in the protocol's encoding.
        #expect(
            DevicePassword.automatic(secret: [UInt8](repeating: 0, count: 32))
                == "MrvE90xA9YIv16WBzi5hd3b3avxo9sSXWq_h3Pd8fob")
    }
}
