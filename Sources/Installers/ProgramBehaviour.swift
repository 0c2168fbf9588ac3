import ByteTools

/// How a program behaves in the emulation.
///
/// The emulated device does not execute Xtensa or RISC-V code. What a real program would do, an image says in a record of
/// 32 bytes right after the application descriptor: magic `CNDY`, version 1, self-test, connect, boot, 24 zero bytes. An
/// image without a record, or with one that is not understood, behaves well.
public struct ProgramBehaviour: Sendable, Equatable {
    /// How the self-test ends.
    public enum SelfTest: UInt8, Sendable {
        /// Good.
        case passes = 0
        /// Bad.
        case fails = 1
        /// It hangs.
        case neverEnds = 2
    }

    /// How the self-test ends.
    public var selfTest: SelfTest
    /// True when the program never reaches its server.
    public var neverConnects: Bool
    /// True when it crashes while it boots.
    public var crashesAtBoot: Bool

    /// A behaviour; without arguments a good one.
    public init(selfTest: SelfTest = .passes, neverConnects: Bool = false, crashesAtBoot: Bool = false) {
        self.selfTest = selfTest
        self.neverConnects = neverConnects
        self.crashesAtBoot = crashesAtBoot
    }

    /// Reads the bytes after the descriptor (`ESPImage.record`).
    public init(record: [UInt8]) {
        self.init()
        guard record.count >= 8, record.starts(with: "CNDY".utf8), record[4] == 1,
            let selfTest = SelfTest(rawValue: record[5]), record[6] <= 1, record[7] <= 1
        else { return }
        self.init(selfTest: selfTest, neverConnects: record[6] == 1, crashesAtBoot: record[7] == 1)
    }

    /// The record for an image.
    public var record: [UInt8] {
        Array("CNDY".utf8) + [1, selfTest.rawValue, neverConnects ? 1 : 0, crashesAtBoot ? 1 : 0]
            + [UInt8](repeating: 0, count: 24)
    }
}
