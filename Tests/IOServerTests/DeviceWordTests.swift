import Access
import DeviceDescription
import IOCOM
import IONode
import Testing

@testable import IOServer

@Suite("What a device says of itself") struct DeviceWordTests {
    private static let path = BlockPath(
        block: "info", device: DevicePath(name: "thief", number: 1, network: "cafenet"))

    private static func block(_ bytes: [UInt8]) throws -> MemoryBlock {
        let memory = try #require(LentMemory.zeroed(max(bytes.count, 24)))
        let block = MemoryBlock(path: path, flags: .up, memory: memory)
        block.write(bytes.span.bytes, at: 0)
        return block
    }

    private static func description(_ signals: [SignalDefinition]) throws -> DeviceInfo {
        try DeviceInfo(name: "thief", blocks: [BlockDescription("imp", .down, [GroupDefinition("g", signals)])])
    }

    @Test func whatMakesNoSenseIsLookedAtAgainOnlyWhenItChangedAndAfterAWhile() throws {
        var word = DeviceWord()
        let block = try Self.block([UInt8](repeating: 0xAB, count: 600))
        #expect(word.content(of: nil, now: 0) == nil)
        #expect(word.content(of: block, now: 0) == nil)
        let good = try Self.description([SignalDefinition("reboot", .boolean)]).packed()
        block.write(good.span.bytes, at: 0)
        // Not told of the change, and then too soon.
        #expect(word.content(of: block, now: 5_000) == nil)
        word.changed()
        #expect(word.content(of: block, now: 500) == nil)
        #expect(word.content(of: block, now: 1_000)?.info.name == "thief")
    }

    @Test func aGoodDescriptionStaysUntilTheDeviceIsGone() throws {
        var word = DeviceWord()
        let block = try Self.block(try Self.description([SignalDefinition("reboot", .boolean)]).packed())
        #expect(word.content(of: block, now: 0)?.info.signal("reboot", in: "imp") != nil)
        block.write([UInt8](repeating: 0, count: 24).span.bytes, at: 0)
        word.changed()
        #expect(word.content(of: block, now: 9_000)?.info.signal("reboot", in: "imp") != nil)
    }

    @Test func onlyTheFirstOfManyCommandsOfANameCounts() throws {
        let many = (0..<1000).map { _ in SignalDefinition("reboot", .boolean) }
        let signals = GuardedSignals(try Self.description(many))
        var expected = RangeSet()
        expected.add(ByteRange(0, 1))
        #expect(signals.refused(in: "imp", size: 1000, Access(.operator)) == expected)
    }

    @Test func whatLiesBesideTheStreamsIsNoPartOfThem() throws {
        let info = try DeviceInfo(
            name: "thief",
            blocks: [
                BlockDescription(
                    "conf_imp", .down, isConfiguration: true,
                    [StandardSignals.controllerStream(ring: 16), GroupDefinition("g", [SignalDefinition("x", .int)])]),
                BlockDescription("conf_exp", .up, isConfiguration: true, [StandardSignals.deviceStream(ring: 16)]),
            ])
        let signals = GuardedSignals(info)
        let own = try #require(info.signal("x", in: "conf_imp")?.signal.range)
        let outside = signals.outsideStreams(size: own.end + 10)
        #expect(outside.overlaps(own))
        for range in signals.controllersRanges(.upload) + signals.controllersRanges(.download) {
            #expect(!outside.overlaps(range))
        }
    }
}
