/// Makes programs that only emulated boards run: the header that the boot ROM wants, and data.
public struct TeensyImageBuilder: Sendable {
    /// The board.
    public var board: TeensyBoard
    /// Application.
    public var application: String
    /// Version, `YYMMDD-HHMM`.
    public var version: String
    /// Bytes behind the header.
    public var data: [UInt8] = []
    /// Record for the emulation (`ProgramBehaviour`); empty writes none.
    public var record: [UInt8] = []
    /// Address that the program is linked for.
    public var loadAddress = TeensyBoard.loadAddress

    /// A builder with the parts that have no default.
    public init(_ board: TeensyBoard, application: String, version: String) {
        self.board = board
        self.application = application
        self.version = version
    }

    /// The bytes for the flash.
    public func build() throws(MicrocontrollerImageBuilder.Failure) -> [UInt8] {
        var program = [UInt8](repeating: 0xFF, count: TeensyHeader.vectorOffset)
        func put(_ value: UInt32, _ offset: Int) {
            for index in 0..<4 { program[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index)) }
        }
        program.replaceSubrange(0..<512, with: Self.configuration(board))
        let table = loadAddress + UInt32(TeensyHeader.vectorOffset)
        let bootData = TeensyHeader.vectorOffset + TeensyHeader.vectorSize
        program += [UInt8](repeating: 0, count: 0x100)
        let code = program.count
        // A program without work branches to itself.
        program += [0xFE, 0xE7, 0x00, 0xBF] + data
        while program.count % 8 != 0 { program.append(0xFF) }
        put(0x4320_00D1, TeensyHeader.vectorOffset)
        put(loadAddress + UInt32(code) | 1, TeensyHeader.vectorOffset + 4)
        put(loadAddress + UInt32(bootData), TeensyHeader.vectorOffset + 16)
        put(table, TeensyHeader.vectorOffset + 20)
        put(loadAddress, bootData)
        put(UInt32(program.count), bootData + 4)
        var builder = MicrocontrollerImageBuilder(
            application: application, version: version, os: TeensyBoard.os, hardware: board.name,
            loadAddress: loadAddress, program: program)
        builder.record = record
        return try builder.build()
    }

    /// The FlexSPI configuration block of a board, 512 bytes: tag and version, one flash with four data lines at port A1, its
    /// size. (The commands of the flash chip are not filled in.)
    public static func configuration(_ board: TeensyBoard) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        let words: [(offset: Int, value: UInt32)] = [
            (0, TeensyHeader.configurationTag), (4, 0x5601_0000), (0x44, 0x0003_0401),
            (TeensyHeader.flashSizeOffset, UInt32(board.flashSize)),
        ]
        for (offset, value) in words {
            for index in 0..<4 { block[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index)) }
        }
        return block
    }

    /// The package: a hex file of the program.
    public func buildHex() throws(MicrocontrollerImageBuilder.Failure) -> [UInt8] { Self.hex(try build(), loadAddress) }

    /// A hex file of a program's bytes.
    public static func hex(_ program: [UInt8], _ address: UInt32 = TeensyBoard.loadAddress) -> [UInt8] {
        var writer = IntelHexWriter(recordSize: 32)
        // No program reaches the end of the address space.
        try? writer.add(program, at: address)
        writer.add(.linear(address + UInt32(TeensyHeader.vectorOffset)))
        return writer.finish()
    }
}
