import FlashControllerModels
import FirmwareStorage
import Foundation
import Testing

/// The flash of a model in a file, as candy has it.
@Suite struct ModelFileTests {
    @Test(arguments: STM32Part.allCases)
    func `What was written is there again, also after the program was killed`(part: STM32Part) throws {
        let path = NSTemporaryDirectory() + "model-\(UUID().uuidString).img"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let bytes = (0..<64).map { UInt8(truncatingIfNeeded: $0 &* 29 &+ 1) }
        let first = try STM32Model(file: path, part: part)
        #expect(first.contents == FlashContents(part))
        var contents = FlashContents(part)
        contents.write([0x00, 0x10, 0x00, 0x20], at: 0)
        contents.write([0x00, 0x20, 0x00, 0x20], at: part.flashSize - part.bankSize)
        try first.program(contents)
        let machine = Machine(first)
        try machine.program(part.bankCount - 1, 4096, bytes)
        try machine.driver.erase(bank: 0, sectorAt: part.bankSize - 1)
        try machine.driver.select(bank: part.bankCount - 1)
        // One process at a time, and one part.
        #expect(throws: ModelFile.Failure.self) { try STM32Model(file: path, part: part) }
        first.switchOff()
        #expect(throws: FlashFault.self) { try machine.program(0, 8192, bytes) }
        for other in STM32Part.allCases where other != part {
            #expect(throws: ModelFile.Failure.self) { try STM32Model(file: path, part: other) }
        }
        let second = try STM32Model(file: path, part: part)
        #expect(second.contents == first.contents)
        let again = Machine(second)
        #expect(again.driver.runningBank == part.bankCount - 1)
        #expect(try again.read(part.bankCount - 1, 4096, 64) == bytes)
        second.switchOff()
    }

    @Test func `Option bytes without their complement are those of an erased sector`() throws {
        let path = NSTemporaryDirectory() + "model-\(UUID().uuidString).img"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try STM32Model(file: path, part: .l47x).switchOff()
        var bytes = try Data(contentsOf: URL(filePath: path))
        bytes[STM32Part.l47x.flashSize + 10] ^= 4
        try bytes.write(to: URL(filePath: path))
        let model = try STM32Model(file: path, part: .l47x)
        #expect(model.contents.options == STM32Part.l47x.erasedOptions)
        model.switchOff()
    }
}
