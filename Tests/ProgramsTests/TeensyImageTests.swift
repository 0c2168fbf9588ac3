import ByteTools
import FirmwareImages
import Programs
import Testing
import UpdateTesting

@Suite struct TeensyImageTests {
    private static func builder(_ board: TeensyBoard = .teensy41) -> TeensyImageBuilder {
        var builder = TeensyImageBuilder(board, application: "candy", version: "261124-1200")
        builder.data = Array(repeating: 0x5A, count: 3000)
        return builder
    }

    private static func problem(_ text: [UInt8], _ board: TeensyBoard? = .teensy41) -> TeensyProblem? {
        do throws(TeensyImage.Failure) {
            _ = try TeensyImage(checking: ArraySource(text), board: board)
            return nil
        } catch {
            if case .program(let problem) = error { return problem }
            return nil
        }
    }

    /// A hex file of the bytes, its hash made right.
    private static func changed(_ change: (inout [UInt8]) -> Void) throws -> [UInt8] {
        TeensyImageBuilder.hex(try changedBytes(change))
    }

    private static func changedBytes(_ change: (inout [UInt8]) -> Void) throws -> [UInt8] {
        var image = try builder().build()
        change(&image)
        var hash = ImageHash()
        image.dropLast(32 + 8).withUnsafeBytes { hash.add($0) }
        image.replaceSubrange((image.count - 32)..., with: hash.finished().bytes)
        return image
    }

    @Test(arguments: TeensyBoard.all.map(\.name))
    func `A hex file says what it is`(name: String) throws {
        let board = try #require(TeensyBoard.named(name))
        let folder = try TemporaryFolder()
        let text = try Self.builder(board).buildHex()
        let path = try folder.write("any.hex", text)
        let inspection = try PackageInspection(path: path)
        #expect(inspection.kind == .teensy && inspection.os == "teensy" && inspection.hardware == name)
        #expect(inspection.application == "candy" && inspection.versionText == "261124-1200")
        #expect(inspection.size == text.count)
        let named = try PackageName(parsing: "iocafe-candy-261124-1200-teensy-\(name).hex")
        #expect(inspection.contradictions(to: named) == [])
        let other = try PackageName(parsing: "iocafe-candy-261124-1200-teensy-teensy99.hex")
        #expect(inspection.contradictions(to: other).count == 1)
        #expect(try TeensyImage(checking: ArraySource(text)).bytes == Self.builder(board).build())
    }

    @Test func `Records in another order and gaps give the same program`() throws {
        let bytes = try Self.builder().build()
        var lines = String(decoding: TeensyImageBuilder.hex(bytes), as: UTF8.self).split(separator: "\n").map(
            String.init)
        // The first one is the base, the last two are start and end.
        var random = SeededGenerator(seed: 5)
        lines.replaceSubrange(1..<lines.count - 2, with: lines[1..<lines.count - 2].shuffled(using: &random))
        #expect(try TeensyImage(checking: ArraySource(Array(lines.joined(separator: "\r\n").utf8))).bytes == bytes)
        // Lines of erased flash are left out.
        let erased = lines.filter { !$0.contains(String(repeating: "FF", count: 32)) }
        #expect(erased.count < lines.count - 40)
        #expect(try TeensyImage(checking: ArraySource(Array(erased.joined(separator: "\n").utf8))).bytes == bytes)
    }

    @Test func `What is held back until the beginning is there stays within its limit`() throws {
        var reader = TeensyHexReader()
        var held = 0
        // The end of each piece lies in the beginning, a byte that is new.
        let error = #expect(throws: TeensyProblem.self) {
            for number in 0..<100 {
                var writer = IntelHexWriter(recordSize: 255)
                let piece = [UInt8](repeating: 0x55, count: 16 << 10)
                try writer.add(piece, at: TeensyBoard.loadAddress + 0x2000 + UInt32(number * piece.count))
                try writer.add([0], at: TeensyBoard.loadAddress + 16 + UInt32(number))
                held += piece.count + 1
                let given = try reader.feed(writer.text)
                #expect(given.isEmpty)
            }
        }
        #expect(error == .noStart && held <= TeensyHexReader.mostHeld + (16 << 10) + 1)
    }

    @Test func `A package that every device refuses is not made, and the remedy is said`() throws {
        let image = try Self.builder().build()
        let package = try TeensyImage.package(of: image, at: TeensyBoard.loadAddress)
        #expect(try TeensyImage(checking: ArraySource(package)).bytes == image)
        func refusal(_ program: [UInt8], at address: UInt32 = TeensyBoard.loadAddress) -> TeensyImage.Refusal? {
            #expect(throws: TeensyImage.Refusal.self) { try TeensyImage.package(of: program, at: address) }
        }
        // As the library's startup code has it, whatever the linker script says.
        let stock = refusal(try Self.changedBytes { $0.replaceSubrange(0x1020..<0x1024, with: [0, 0, 0, 0x60]) })
        #expect(stock?.failure == .program(.bootData))
        #expect(stock?.description.contains("bootdata.c") == true && stock?.description.contains("0x60010000") == true)
        var linked = Self.builder()
        linked.loadAddress = 0x6000_0000
        let table = try Self.changedBytes { $0.replaceSubrange(0x1014..<0x1018, with: [0, 0x10, 0, 0x60]) }
        for refused in [refusal(try linked.build(), at: 0x6000_0000), refusal(try linked.build()), refusal(table)] {
            #expect(refused?.description.contains("linker script") == true, "\(String(describing: refused))")
        }
        let named = TeensyBoard(name: "teensy36", flashSize: 8 << 20, programSize: 2496 << 10)
        #expect(refusal(try Self.builder(named).build())?.description.contains("'teensy41'") == true)
        #expect(refusal(image, at: 0xFFFF_FF00)?.description.contains("0xffffff00") == true)
    }

    @Test func `What is wrong with a header is said`() throws {
        #expect(try Self.problem(Self.changed { _ in }) == nil)
        #expect(try Self.problem(Self.changed { $0[0] = 0x45 }) == .noConfiguration)
        #expect(
            try Self.problem(Self.changed { $0[0x52] = 0x20 }) == .flashSize(found: 0x20_0000, expected: 8 << 20))
        #expect(try Self.problem(Self.changed { $0[0x1000] = 0xD2 }) == .noVectorTable)
        #expect(try Self.problem(Self.changed { $0[0x1007] = 0x70 }) == .noVectorTable)
        #expect(try Self.problem(Self.changed { $0[0x1012] = 0x05 }) == .bootData)
        #expect(try Self.problem(Self.changed { $0[0x1022] = 0 }) == .bootData)
        #expect(try Self.problem(Self.changed { $0[0x1800] ^= 1 }) == nil)
        #expect(try Self.problem(Self.changed { $0[0x200] = 0 }) == .image(.notAnImage))
        var image = try Self.builder().build()
        image[0x1800] ^= 1
        #expect(Self.problem(TeensyImageBuilder.hex(image)) == .image(.hash))
        #expect(try Self.problem(TeensyImageBuilder.hex(Self.builder().build(), 0x6000_0000)) == .before(0x6000_0000))
        #expect(try Self.problem(Self.builder(.teensy40).buildHex()) == .image(.hardware))
        #expect(Self.problem(Array(":00000001FF\n".utf8)) == .noStart)
        #expect(Self.problem(Array(":00000002FE\n".utf8)) == .hex(IntelHexError(1, .sizeOfType(2, 0))))
    }
}
