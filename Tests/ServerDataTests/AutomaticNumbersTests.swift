import IOCOM
import Testing

@testable import ServerData

@Suite struct AutomaticNumbersTests {
    private func id(_ number: Int) -> [UInt8] {
        [1] + (0..<11).map { UInt8(truncatingIfNeeded: number >> (8 * min($0, 7))) }
    }

    private func free(_: UInt32) -> Bool { false }

    @Test func aKnownDeviceGetsItsNumberBack() {
        var table = AutomaticNumbers()
        #expect(table.assign(to: id(1), isInUse: free) == 9001)
        #expect(table.assign(to: id(2), isInUse: free) == 9002)
        #expect(table.assign(to: id(1), isInUse: free) == 9001)
        #expect(table.number(of: id(2)) == 9002)
    }

    @Test func aNumberInUseIsNeverGivenAgain() {
        var table = AutomaticNumbers()
        #expect(table.assign(to: id(1)) { $0 == 9001 } == 9002)
        #expect(table.assign(to: id(1)) { $0 <= 9002 } == 9003)
        #expect(table.number(of: id(1)) == 9002)
        #expect(table.assign(to: id(1), isInUse: free) == 9002)
        #expect(table.assign(to: id(9)) { _ in true } == nil)
        #expect(table.assign(to: nil) { _ in true } == nil)
    }

    @Test func devicesWithoutIdAreNotRemembered() {
        var table = AutomaticNumbers()
        let zeros = [UInt8](repeating: 0, count: 12)
        #expect(table.assign(to: nil, isInUse: free) == 9001)
        #expect(table.assign(to: zeros, isInUse: free) == 9002)
        #expect(table.assign(to: [1, 2, 3], isInUse: free) == 9003)
        #expect(table.count == 0)
    }

    @Test func theOneLongestAwayIsForgottenFirst() {
        var table = AutomaticNumbers()
        for n in 0..<AutomaticNumbers.capacity { _ = table.assign(to: id(n), isInUse: free) }
        _ = table.assign(to: id(0), isInUse: free)
        _ = table.assign(to: id(9999), isInUse: free)
        #expect(table.count == AutomaticNumbers.capacity)
        #expect(table.number(of: id(0)) == 9001)
        #expect(table.number(of: id(1)) == nil)
    }

    @Test func numbersStartOverAndRememberedOnesAreTakenLast() {
        var table = AutomaticNumbers()
        #expect(table.assign(to: id(1), isInUse: free) == 9001)
        #expect(table.assign(to: nil) { $0 < AutomaticNumber.last } == AutomaticNumber.last)
        #expect(table.assign(to: nil, isInUse: free) == 9002)
        #expect(table.assign(to: id(2)) { $0 != 9001 } == 9001)
        #expect(table.number(of: id(1)) == nil)
        #expect(table.count == 1)
    }

    @Test func theTableSurvivesStorage() throws {
        var table = AutomaticNumbers()
        for n in 0..<300 { _ = table.assign(to: id(n), isInUse: free) }
        _ = table.assign(to: id(7), isInUse: free)
        let read = try AutomaticNumbers(bytes: table.bytes)
        #expect(read == table)
        #expect(try AutomaticNumbers(bytes: []) == AutomaticNumbers())
        #expect(try AutomaticNumbers(bytes: AutomaticNumbers().bytes) == AutomaticNumbers())
    }

    @Test func everyFlippedBitAndEveryCutIsNoticed() {
        var table = AutomaticNumbers()
        for n in 0..<3 { _ = table.assign(to: id(n), isInUse: free) }
        let bytes = table.bytes
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: AutomaticNumbers.Damage.self) { try AutomaticNumbers(bytes: damaged) }
        }
        for length in 1..<bytes.count {
            #expect(throws: AutomaticNumbers.Damage.format) { try AutomaticNumbers(bytes: Array(bytes.prefix(length))) }
        }
        #expect(throws: AutomaticNumbers.Damage.format) { try AutomaticNumbers(bytes: bytes + [0]) }
    }

    @Test func impossibleEntriesWithAGoodChecksumAreRefused() {
        var table = AutomaticNumbers()
        for n in 0..<2 { _ = table.assign(to: id(n), isInUse: free) }
        func sealed(_ change: (inout [UInt8]) -> Void) -> [UInt8] {
            var bytes = Array(table.bytes.dropLast(2))
            change(&bytes)
            let crc = CRC16.of(bytes)
            return bytes + [UInt8(crc & 0xFF), UInt8(crc >> 8)]
        }
        let changes: [(inout [UInt8]) -> Void] = [
            {
                $0[7] = 0; $0[8] = 0
            },
            {
                $0[23] = 0; $0[24] = 0
            },
            {
                $0[39] = $0[23]; $0[40] = $0[24]
            },
            { $0.replaceSubrange(27..<39, with: $0[11..<23]) },
            { $0.replaceSubrange(11..<23, with: [UInt8](repeating: 0, count: 12)) },
        ]
        for change in changes {
            #expect(throws: AutomaticNumbers.Damage.entry) { try AutomaticNumbers(bytes: sealed(change)) }
        }
        #expect((try? AutomaticNumbers(bytes: sealed { _ in })) == table)
    }

    @Test func randomBytesNeverTrap() {
        var random = SeededGenerator(seed: 5)
        let start = Array(AutomaticNumbers().bytes.prefix(5))
        for _ in 0..<20000 {
            let bytes = (0..<Int.random(in: 0..<64, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            _ = try? AutomaticNumbers(bytes: bytes)
            _ = try? AutomaticNumbers(bytes: start + bytes)
        }
    }
}
