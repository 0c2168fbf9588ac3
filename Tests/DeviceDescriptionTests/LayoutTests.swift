import DeviceDescription
import IOCOM
import Testing

@Suite struct LayoutTests {
    private func addresses(_ block: BlockDescription) -> [String] {
        block.signals.map { "\($0.name) \($0.signal.type) \($0.signal.address) \($0.signal.count)" }
    }

    @Test func `conf_exp lies where the specification says`() throws {
        let block = try BlockDescription.configurationExport()
        #expect(block.name == "conf_exp")
        #expect(block.flags == .up)
        #expect(block.size == 279)
        #expect(
            addresses(block) == [
                "tod_state char 0 1", "tod_err uchar 2 1", "tod_tail int 4 1", "frd_state char 9 1",
                "frd_err uchar 11 1", "frd_cs ushort 13 1", "frd_head int 16 1", "frd_buf uchar 21 257",
            ])
    }

    @Test(arguments: [(257, 279, 270, 272, 274), (1025, 1047, 1038, 1040, 1042), (65536, 65558, 65549, 65551, 65553)])
    func `conf_imp lies where the specification says for every ring`(
        _ ring: Int, _ size: Int, _ command: Int, _ select: Int, _ tail: Int
    ) throws {
        let block = try BlockDescription.configurationImport(ring: ring)
        #expect(block.flags == .down)
        #expect(block.size == size)
        #expect(
            addresses(block) == [
                "tod_cmd char 0 1", "tod_select char 2 1", "tod_cs ushort 4 1", "tod_head int 7 1",
                "tod_buf uchar 12 \(ring)", "frd_cmd char \(command) 1", "frd_select uchar \(select) 1",
                "frd_tail int \(tail) 1",
            ])
    }

    @Test func `Standard groups have the sizes of the original`() throws {
        #expect(try BlockDescription("exp", .up, [StandardSignals.networkConfiguration]).size == 188)
        #expect(try BlockDescription("imp", .down, [StandardSignals.setNetworkConfiguration]).size == 135)
        #expect(try BlockDescription("exp", .up, [StandardSignals.systemSpecification]).size == 74)
        #expect(try BlockDescription("exp", .up, [StandardSignals.resources]).size == 99)
        let all = try BlockDescription(
            "exp", .up,
            [
                StandardSignals.networkConfiguration, StandardSignals.systemSpecification, StandardSignals.resources,
                StandardSignals.update(.basic),
            ])
        #expect(all.signal("si_package")?.signal.address == 188)
        #expect(all.signal("rm_malloc")?.signal.address == 188 + 74)
        #expect(all.signal("upd_state")?.signal.address == 188 + 74 + 99)
        #expect(all.size == 188 + 74 + 99 + 2 + 2 + 17 + 17 + 13 + 161 + 2)
        #expect(
            try BlockDescription("imp", .down, [StandardSignals.updateCommands]).signal("upd_rollback")?.signal.address
                == 1)
    }

    @Test func `Rows of new devices lie where the specification says`() throws {
        let block = try BlockDescription("exp", .up, [StandardSignals.newDevices()])
        #expect(block.size == 540)
        for (row, start) in [(1, 0), (2, 180), (3, 360)] {
            let offsets: [(String, Int, SignalType, Int)] = [
                ("text", 0, .str, 16), ("name", 17, .str, 28), ("password", 46, .str, 46),
                ("privileges", 93, .str, 16), ("ip", 110, .str, 64), ("count", 175, .int, 1),
            ]
            for (name, offset, type, count) in offsets {
                #expect(block.signal("new\(row)_\(name)")?.signal == Signal(type, at: start + offset, count: count))
            }
        }
    }

    @Test func `Types are inherited across groups and an address restarts the counter`() throws {
        let block = try BlockDescription(
            "exp", .up,
            [
                GroupDefinition(
                    "a", [SignalDefinition("first"), SignalDefinition("second", .int), SignalDefinition("third")]),
                GroupDefinition(
                    "b",
                    [
                        SignalDefinition("fourth"), SignalDefinition("fifth", address: 100), SignalDefinition("sixth"),
                        SignalDefinition("back", .boolean, address: 0), SignalDefinition("bits", count: 9),
                        SignalDefinition("none", count: -5),
                    ]),
            ])
        #expect(
            addresses(block) == [
                "first ushort 0 1", "second int 3 1", "third int 8 1", "fourth int 13 1", "fifth int 100 1",
                "sixth int 105 1", "back boolean 0 1", "bits boolean 1 9", "none boolean 4 1",
            ])
        #expect(block.size == 110)
    }

    @Test func `A block has at least 24 bytes`() throws {
        #expect(try BlockDescription("imp", .down, []).size == 24)
        #expect(try BlockDescription("imp", .down, [GroupDefinition("g", [SignalDefinition("x", .char)])]).size == 24)
    }

    @Test func `A change finds its signals`() throws {
        let block = try BlockDescription.configurationExport()
        #expect(block.signals(touchedBy: ByteRange(3, 10)).map(\.name) == ["tod_err", "tod_tail", "frd_state"])
    }
}
