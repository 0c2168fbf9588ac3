public import DeviceDescription
public import IOCOM
public import IONode

/// Why a device could not be set up.
public struct DeviceSetupError: Error, CustomStringConvertible {
    /// What is wrong.
    public let description: String

    /// Composes an error.
    public init(_ description: String) { self.description = description }
}

/// The memory blocks of one device on a node, made from its description, with access by signal name.
///
/// Confined to the node's loop.
public final class DeviceBlocks {
    /// Name of the device.
    public let path: DevicePath
    /// What the device tells of itself in its `info` block.
    public let info: DeviceInfo
    private let node: Node
    private var blocks: [String: MemoryBlock] = [:]

    /// Makes every block of `info` and the `info` block itself.
    ///
    /// `flags` come on top of each block's direction (a server's own blocks are not announced downward).
    public init(
        _ info: DeviceInfo, path: DevicePath, on node: Node, flags: BlockFlags = []
    ) throws(DeviceSetupError) {
        self.info = info
        self.path = path
        self.node = node
        for block in info.blocks {
            let flags = flags.union(block.flags.intersection([.up, .down, .noCloud]))
            blocks[block.name] = try Self.add(block.name, flags, block.size, path, node)
        }
        let packed: [UInt8]
        do throws(DeviceInfoError) { packed = try info.packed() } catch {
            throw DeviceSetupError("the description of \(path) cannot be written: \(error)")
        }
        let infoBlock = try Self.add("info", [.up, .static], packed.count, path, node)
        infoBlock.write(packed.span.bytes, at: 0)
        infoBlock.publish()
        blocks["info"] = infoBlock
    }

    private static func add(
        _ name: String, _ flags: BlockFlags, _ size: Int, _ path: DevicePath, _ node: Node
    ) throws(DeviceSetupError) -> MemoryBlock {
        guard let blockName = BlockName(name),
            let block = node.addBlock(BlockPath(block: blockName, device: path), flags: flags, size: size)
        else { throw DeviceSetupError("block \(name) of \(path) exists already, or there is no memory for it") }
        return block
    }

    /// The block of that name.
    public func block(_ name: String) -> MemoryBlock? { blocks[name] }

    /// True when `block` is one of this device's.
    public func owns(_ block: MemoryBlock) -> Bool { block.path.device == path }

    /// Sets a signal; nothing is sent before ``publish(_:)``. Values that do not fit the signal are cut (texts) or refused.
    public func set(_ name: String, _ value: SignalValue, in block: String = "exp", state: StateBits = .connected) {
        guard let memory = blocks[block], let signal = info.signal(name, in: block)?.signal else { return }
        if case .text(let text) = value {
            // Texts for people may be longer than the signal.
            _ = signal.setText(Self.cut(text, to: signal.count), in: memory, state: state)
        } else {
            try? signal.setValue(value, in: memory, state: state)
        }
    }

    private static func cut(_ text: String, to limit: Int) -> String {
        var result = text
        while result.utf8.count > limit { result.removeLast() }
        return result
    }

    /// The value of a signal; nil when it was never set or does not exist.
    public func value(_ name: String, in block: String) -> SignalValue? {
        guard let memory = blocks[block], let signal = info.signal(name, in: block)?.signal else { return nil }
        return signal.value(in: memory)
    }

    /// Makes the changes of a block one snapshot.
    public func publish(_ block: String = "exp") { blocks[block]?.publish() }

    /// True when nothing waits to be sent of what the device says.
    public var isDrained: Bool { ["exp", "conf_exp"].allSatisfy { blocks[$0]?.isDrained ?? true } }

    /// The stream of one direction over this device's `conf_exp` and `conf_imp` blocks.
    public func streamPort(_ direction: StreamDirection) throws(DeviceSetupError) -> StreamPort {
        guard let device = blocks["conf_exp"], let controller = blocks["conf_imp"],
            let addresses = StreamAddresses(direction, in: info)
        else { throw DeviceSetupError("\(path) has no signals for streams") }
        do throws(StreamPortError) {
            return try StreamPort(controllerBlock: controller, deviceBlock: device, addresses: addresses)
        } catch { throw DeviceSetupError("the stream signals of \(path) do not fit their blocks") }
    }
}
