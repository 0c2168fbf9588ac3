import FirmwareImages
import FirmwareStorage
import Testing

@Suite("Slots of microcontrollers") struct SlotTests {
    static func digest(_ seed: UInt8) -> ImageDigest {
        var digest = ImageDigest()
        for i in 0..<32 { digest[i] = seed &+ UInt8(i) }
        return digest
    }

    @Test("a new program is tried once; without proof the old one comes back")
    func trial() throws {
        let (old, new) = (Self.digest(1), Self.digest(2))
        var choice = SlotChoice(first: SlotEntry(.valid, old))
        choice.beginWriting(1)
        choice.select(1, new)
        let images = { (slot: Int) in slot == 0 ? old : new }
        let first = try #require(choice.plan(image: images))
        #expect(first.slot == 1 && first.isOnTrial)
        // It proves itself.
        var proved = first.choice
        proved.confirm()
        let second = try #require(proved.plan(image: images))
        #expect(second.slot == 1 && !second.isOnTrial && second.choice == proved)
        // It does not.
        let back = try #require(first.choice.plan(cause: .watchdog, image: images))
        #expect(back.slot == 0 && !back.isOnTrial && back.choice.goneBack == .watchdog)
        #expect(back.choice[1].status == .invalid)
        #expect(back.choice.plan(image: images)?.slot == 0)
        // An operator wants the old one again.
        let isGivenUp = proved.giveUp(.asked)
        #expect(isGivenUp)
        #expect(proved.plan(image: images)?.slot == 0)
        let isGivenUpAgain = proved.giveUp(.asked)
        #expect(!isGivenUpAgain)
    }

    @Test("damage starts the other program, and anything whole is better than nothing")
    func damage() throws {
        let (old, new) = (Self.digest(1), Self.digest(2))
        let choice = SlotChoice(boot: 1, first: SlotEntry(.valid, old), second: SlotEntry(.new, new))
        let plan = try #require(choice.plan { $0 == 0 ? old : nil })
        #expect(plan.slot == 0 && plan.choice.goneBack == .damaged)
        #expect(SlotChoice().plan { _ in nil } == nil)
        #expect(SlotChoice().plan { $0 == 1 ? new : nil }?.slot == 1)
        // The program that failed is all that is left.
        let last = SlotChoice(boot: 0, first: SlotEntry(.valid, old), second: SlotEntry(.invalid, new))
        #expect(last.plan { $0 == 1 ? new : nil }?.slot == 1)
        // A slot that was being written holds another program by chance.
        let written = SlotChoice(boot: 0, first: SlotEntry(.valid, old), second: SlotEntry())
        #expect(written.plan { $0 == 0 ? old : new }?.slot == 0)
    }

    @Test("a cut at any operation leaves the choice before or after", arguments: [0, 1, 2])
    func cuts(cut: Int) throws {
        for before in [0, 1, 20, 21, 40, 41, 42, 43, 62, 63, 64] {
            for operation in 0...2 {
                let chip = Chip(units: 2, of: 2048, writeSize: 16)
                var records = try SlotRecords(TestArea(chip: chip))
                #expect(!records.isStored)
                var choice = SlotChoice(first: SlotEntry(.valid, Self.digest(1)))
                for round in 0...before {
                    choice.second.digest = Self.digest(UInt8(round))
                    try records.store(choice)
                }
                var next = choice
                next.select(1, Self.digest(99))
                chip.cut = cut
                chip.left = operation
                let isDone = (try? records.store(next)) != nil
                chip.left = -1
                var again = try SlotRecords(TestArea(chip: chip))
                #expect(again.choice == next || again.choice == choice)
                #expect(!isDone || again.choice == next)
                try again.store(next)
                try again.store(choice)
                #expect(try SlotRecords(TestArea(chip: chip)).choice == choice)
            }
        }
    }

    @Test("a record goes to the next place when one is bad, and the one that counts is never erased for it")
    func badPlaces() throws {
        let chip = Chip(units: 2, of: 960)
        var records = try SlotRecords(TestArea(chip: chip))
        var choice = SlotChoice(first: SlotEntry(.valid, Self.digest(1)))
        // Places that take nothing any more: as they stand, no write there can be right.
        for place in [1, 4] { chip.memory[place * 96 + 50] = 0 }
        for round in 0..<6 {
            choice.select(round & 1, Self.digest(UInt8(round)))
            try records.store(choice)
            #expect(try SlotRecords(TestArea(chip: chip)).choice == choice)
        }
        // From now on no place of the second unit takes anything.
        chip.badUnit = 1
        for round in 0..<20 {
            var other = choice
            other.select(round & 1, Self.digest(UInt8(100 + round)))
            do {
                try records.store(other)
                choice = other
            } catch {}
            #expect(try SlotRecords(TestArea(chip: chip)).choice == choice)
        }
        chip.badUnit = nil
        var again = try SlotRecords(TestArea(chip: chip))
        choice.select(0, Self.digest(77))
        try again.store(choice)
        #expect(try SlotRecords(TestArea(chip: chip)).choice == choice)
    }
}
