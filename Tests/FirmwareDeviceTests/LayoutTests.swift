import ByteTools
import DeviceDescription
import FirmwareDescription
import Testing

@testable import FirmwareDevice

@Suite("Layout of the firmware's blocks") struct LayoutTests {
    @Test("the source in the repository is the one that the description gives")
    func source() throws {
        let path = #filePath.replacing("Tests/FirmwareDeviceTests/LayoutTests.swift", with: "")
        let file = try File(path + "Sources/FirmwareDevice/DeviceLayout.swift", .read)
        let text = String(decoding: try file.read(at: 0, count: file.byteCount), as: UTF8.self)
        #expect(text == (try FirmwareDescription.source()))
    }

    @Test("its phases have the numbers that operators know")
    func phases() {
        for number in UInt8.min...UInt8.max {
            let phase = FirmwarePhase(rawValue: number)
            let known = UpdatePhase(rawValue: Int64(number))
            #expect(phase.map { "\($0)" } == known.map { "\($0)" })
        }
    }
}
