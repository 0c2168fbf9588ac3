import DeviceDescription
import IOCOM
import PackedJSON
import Testing

@Suite struct DeviceInfoTests {
    /// A device with everything.
    static func candy() throws -> DeviceInfo {
        try DeviceInfo(
            name: "candy",
            blocks: [
                BlockDescription(
                    "exp", .up,
                    [
                        GroupDefinition(
                            "inputs",
                            [
                                SignalDefinition(
                                    "temp", .float, address: 8, unit: "°C", minimum: -40.5, maximum: 16_777_217,
                                    digits: 1),
                                SignalDefinition("gain", .dec01, parameterFlags: 192),
                            ]),
                        StandardSignals.systemSpecification, StandardSignals.update(.withText),
                    ]),
                BlockDescription(
                    "imp", .down,
                    [GroupDefinition("", [SignalDefinition("set_gain", .dec01)]), StandardSignals.updateCommands]),
                .configurationExport(), .configurationImport(ring: 65536),
            ],
            assemblies: [Assembly(name: "camera", kind: "cam_flat", exported: "dexp.rec_", imported: "dimp.rec_")])
    }

    private func read(_ text: String, limits: DeviceInfoLimits = .standard) throws -> DeviceInfo {
        try DeviceInfo(packed: JSON(parsing: text).packed(), limits: limits)
    }

    private func error(_ text: String, limits: DeviceInfoLimits = .standard) -> DeviceInfoError? {
        #expect(throws: DeviceInfoError.self) { try read(text, limits: limits) }
    }

    @Test func `What is written is read back`() throws {
        let info = try Self.candy()
        let bytes = try info.packed()
        #expect(try DeviceInfo(packed: bytes) == info)
        #expect(try DeviceInfo(packed: bytes + [0, 0, 0, 0]) == info)
    }

    @Test func `Signals are found by block and name`() throws {
        let info = try Self.candy()
        #expect(info.signal("tod_buf", in: "conf_imp")?.signal == Signal(.uchar, at: 12, count: 65536))
        #expect(info.signal("tod_buf", in: "conf_exp") == nil)
        #expect(info.signal("tod_buf", in: "nothing") == nil)
        #expect(info.signal("gain", in: "exp")?.isParameter == true)
        #expect(info.signal("gain", in: "exp")?.isPersistent == true)
        #expect(info.setter(of: "gain")?.signal.name == "set_gain")
        #expect(info.setter(of: "temp") == nil)
        #expect(info.signals.count == 2 + 7 + 8 + 1 + 2 + 8 + 8)
    }

    @Test func `The specification's small info document is understood`() throws {
        let packed: [UInt8] = [
            0x13, 0x03, 0x64, 0x65, 0x6D, 0x6F, 0x00, 0x75, 0x70, 0x00, 0x69, 0x6E, 0x70, 0x75, 0x74, 0x73, 0x00, 0x62,
            0x75, 0x74, 0x74, 0x6F, 0x6E, 0x00, 0x74, 0x65, 0x6D, 0x70, 0x00, 0x11, 0x08, 0x13, 0x06, 0x10, 0x05, 0x10,
            0x19, 0x00, 0x13, 0x06, 0x11, 0x03, 0x13, 0x3E, 0x15, 0x05, 0x10, 0x03, 0x00, 0x13, 0x06, 0x10, 0x06, 0x10,
            0x05, 0x00, 0x13, 0x06, 0x17, 0x06, 0x13, 0x0A, 0x16, 0x01, 0x01, 0x00, 0x13, 0x06, 0x16, 0x07, 0x13, 0x0A,
            0x16, 0x02, 0x16, 0x0C, 0x10, 0x01, 0x17, 0x12, 0x19, 0x0A, 0x05, 0x16, 0x14, 0x15, 0x0F, 0x01, 0x11, 0x01,
            0x01, 0x11, 0x01, 0x01, 0x11, 0x01, 0x87, 0xEE,
        ]
        let info = try DeviceInfo(packed: packed)
        #expect(info.name == "demo")
        #expect(info.block("exp")?.flags == .up)
        #expect(info.block("exp")?.size == 24)
        let temperature = try #require(info.signal("temp", in: "exp"))
        #expect(temperature.signal == Signal(.float, at: 8))
        #expect(temperature.minimum == -40.5)
        #expect(temperature.maximum == 125)
        #expect(info.signal("button", in: "exp")?.signal == Signal(.boolean, at: 0))
        #expect(try info.packed() == packed)
    }

    @Test func `Members may come in any order and unknown ones do not matter`() throws {
        let info = try read(
            """
            {"mblk":[{"groups":[{"signals":[{"array":3,"ncolumns":2,"name":"x"}],"name":"g"}],
            "handle":"f()","flags":"down,conf,new","name":"imp"}],"other":[[1]],"name":"demo"}
            """)
        #expect(info.name == "demo")
        #expect(info.block("imp")?.flags == .down)
        #expect(info.block("imp")?.isConfiguration == true)
        #expect(info.signal("x", in: "imp")?.signal == Signal(.ushort, at: 0, count: 3))
    }

    @Test func `Documents that describe nothing are refused`() {
        #expect(error("{}") == .noBlocks)
        #expect(error(#"{"mblk":1}"#) == .wrongKind("mblk", expected: "a list"))
        #expect(error(#"{"mblk":[1]}"#) == .wrongKind("a list element", expected: "an object"))
        #expect(error(#"{"mblk":[{"name":"exp","groups":{}}]}"#) == .wrongKind("groups", expected: "a list"))
        #expect(error(#"{"mblk":[{"name":"exp"},{"name":"exp"}]}"#) == .repeatedBlock("exp"))
        #expect(error(#"{"mblk":[{"name":""}]}"#) == .missingName(.block))
        #expect(error(#"{"mblk":[{"name":7}]}"#) == .wrongKind("a name", expected: "a text"))
        #expect(throws: DeviceInfoError.notPacked(.truncated)) { try DeviceInfo(packed: []) }
    }

    /// A description with one signal in one block.
    private func one(_ signal: String) -> String {
        #"{"name":"d","mblk":[{"name":"exp","groups":[{"name":"g","signals":[\#(signal)]}]}]}"#
    }

    @Test func `Signals that lie nowhere are refused`() throws {
        let limit = Limit.largestBlock
        #expect(error(one(#"{"name":"x","addr":-1}"#)) == .outsideBlock(signal: "x", address: -1, limit: limit))
        for address in [Int64.max, Int64.min, Int64(limit)] {
            #expect(
                error(one(#"{"name":"x","addr":\#(address)}"#))
                    == .outsideBlock(signal: "x", address: address, limit: limit))
        }
        for count in [Int64.max, Int64(limit)] {
            #expect(
                error(one(#"{"name":"x","array":\#(count)}"#)) == .outsideBlock(signal: "x", address: 0, limit: limit))
        }
        var limits = DeviceInfoLimits()
        limits.blockSize = 279
        #expect(
            try read(one(#"{"name":"x","type":"uchar","addr":21,"array":257}"#), limits: limits).blocks[0].size == 279)
        #expect(
            error(one(#"{"name":"x","type":"uchar","addr":22,"array":257}"#), limits: limits)
                == .outsideBlock(signal: "x", address: 22, limit: 279))
        #expect(error(one(#"{"name":"x","addr":"0"}"#)) == .wrongKind("addr", expected: "an integer"))
        #expect(error(one(#"{"name":"x","array":2.5}"#)) == .wrongKind("array", expected: "an integer"))
        #expect(error(one(#"{"name":"x","type":"str16"}"#)) == .unknownType("str16", signal: "x"))
        #expect(error(one(#"{"name":"x","type":"\u001b[2J"}"#)) == .unknownType("…", signal: "x"))
    }

    @Test func `Names are bounded and printable`() {
        let long = String(repeating: "x", count: 32)
        #expect(error(one(#"{"name":"\#(long)"}"#)) == .nameTooLong(.signal, bytes: 32))
        #expect(error(one(#"{"name":"a\u001b[2J"}"#)) == .unprintableName(.signal))
        #expect(error(one(#"{"name":"a\u009b2J"}"#)) == .unprintableName(.signal))
        #expect(error(one(#"{"array":1}"#)) == .wrongKind("a name", expected: "there"))
        #expect(error(#"{"name":"0123456789abcdef","mblk":[]}"#) == .nameTooLong(.device, bytes: 16))
        #expect(error(#"{"mblk":[{"name":"0123456789abcdef"}]}"#) == .nameTooLong(.block, bytes: 16))
    }

    @Test func `What is only shown is left out when it makes no sense`() throws {
        let signal = try read(
            one(#"{"name":"x","unit":"\u001b","min":"low","max":2.5,"digs":-1,"pflag":-1}"#)
        ).signal("x", in: "exp")
        #expect(signal?.unit.isEmpty == true)
        #expect(signal?.minimum == nil)
        #expect(signal?.maximum == 2.5)
        #expect(signal?.digits == nil)
        #expect(signal?.parameterFlags == 0)
    }

    @Test func `Numbers of things are limited`() {
        var limits = DeviceInfoLimits()
        limits.blocks = 1
        limits.groups = 1
        limits.signals = 1
        limits.assemblies = 0
        let x = #"{"name":"x"}"#
        #expect(error(#"{"mblk":[\#(x),{"name":"y"}]}"#, limits: limits) == .tooManyBlocks(limit: 1))
        #expect(error(one("\(x),\(x)"), limits: limits) == .tooManySignals(block: "exp", limit: 1))
        #expect(
            error(#"{"mblk":[{"name":"exp","groups":[{"name":"a"},{"name":"b"}]}]}"#, limits: limits)
                == .tooManyGroups(block: "exp", limit: 1))
        #expect(error(#"{"mblk":[],"assembly":[\#(x)]}"#, limits: limits) == .tooManyAssemblies(limit: 0))
    }

    @Test func `Mutated descriptions never trap and what is accepted keeps its layout`() throws {
        let bytes = Array(try Self.candy().packed().dropLast(2))
        var state: UInt64 = 7
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var accepted = 0
        for _ in 0..<1000 {
            var mutated = bytes
            for _ in 0...random(3) { mutated[random(mutated.count)] = UInt8(random(256)) }
            let checksum = CRC16.of(mutated)
            mutated += [UInt8(truncatingIfNeeded: checksum), UInt8(truncatingIfNeeded: checksum >> 8)]
            guard let info = try? DeviceInfo(packed: mutated) else { continue }
            accepted += 1
            let again = try DeviceInfo(packed: info.packed())
            #expect(again.blocks.map(\.size) == info.blocks.map(\.size))
            #expect(again.signals.map(\.signal.signal) == info.signals.map(\.signal.signal))
        }
        #expect(accepted > 10)
    }
}
