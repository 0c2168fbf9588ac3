// modules: IOCOM IOCOMTestSupport PackedJSON DeviceDescription
// helpers: PackedDocument
// options: -max_len=768
import DeviceDescription
import IOCOM
import IOCOMTestSupport
import PackedJSON

/// A device's word about itself: packed, or as text when the first byte is above 127. Every signal lies inside its block,
/// every stream inside memory of the size told, and what is accepted is written and read as the same.
func fuzz(_ input: [UInt8]) {
    guard let first = input.first else { return }
    var limits = DeviceInfoLimits.standard
    limits.blockSize = 4096
    let info: DeviceInfo
    if first > 127 {
        guard let json = try? JSON(parsing: input.dropFirst(), limits: limits.document) else { return }
        guard let read = try? DeviceInfo(json, limits: limits) else { return }
        info = read
    } else {
        guard let read = try? DeviceInfo(packed: packedDocument(input), limits: limits) else { return }
        info = read
    }
    for block in info.blocks {
        precondition(block.size <= limits.blockSize)
        for signal in block.signals {
            precondition(signal.signal.range.start >= 0 && signal.signal.range.end <= block.size)
        }
    }
    for direction in [StreamDirection.upload, .download] {
        guard let addresses = StreamAddresses(direction, in: info), let device = info.block("conf_exp"),
            let controller = info.block("conf_imp")
        else { continue }
        let deviceBlock = MemoryBlock(.gina("conf_exp"), .up, size: device.size)
        let controllerBlock = MemoryBlock(.gina("conf_imp"), .down, size: controller.size)
        let port = try? StreamPort(
            controllerBlock: controllerBlock, deviceBlock: deviceBlock, addresses: addresses)
        port?.initializeDevice()
        port?.releaseController()
    }
    guard let packed = try? info.packed() else { return }
    // Packing rounds minimum and maximum to 32 bit floats, so that only the second time nothing changes.
    guard let again = try? DeviceInfo(packed: packed, limits: limits), (try? again.packed()) == packed else {
        preconditionFailure("a description changes when it is written and read")
    }
    precondition(again.blocks.map(\.size) == info.blocks.map(\.size))
}
