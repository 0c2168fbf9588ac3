public import IOCOM
import IODevice
public import IONode

extension Server: NodeRole {
    /// A connection ended.
    public func linkClosed(_ link: NodeLink, reason: String) {
        if let number = link.assignedNumber { numbers.release(number, link: link.id) }
        endPairing(on: link.id)
        for device in traffic.values { device.forget(link.id) }
        for path in directory.takeLeaving(of: link.id) { report(.deviceLeft(path, reason: reason)) }
        let visitor = (link.context as? LinkContext)?.visitor
        if let visitor { census.leave(visitor) }
        countTimeout(link.violation, reason)
        if let violation = link.violation {
            report(.violation(visitor, address: link.peerAddress, rule: String(describing: violation)))
        }
        if let visitor {
            report(.closed(visitor, reason: reason))
            turnStreams(all: true)
        } else if link.violation == nil, !reason.hasPrefix("refused: ") {
            report(.abandoned(address: link.peerAddress, reason: reason))
        }
        link.context = nil
    }

    /// Numbers from 9001 on, the same for the same unique id.
    public func assignNumber(to device: DevicePath, on link: NodeLink) -> UInt32? {
        guard published.contains(device.network), let peer = link.peer else { return nil }
        let number = numbers.assign(
            Self.id(peer), password: (0..<peer.password.count).map { peer.password[$0] }, link: link.id,
            isTaken: { directory.hasNumber($0) })
        if number == nil { report(.problem("no automatic number is left for \(device)")) }
        return number
    }

    /// Every device of a published network that its connection may bring, unless another connection has it.
    public func wantsBlock(_ path: BlockPath, _ info: BlockInfo, on link: NodeLink) -> Bool {
        guard published.contains(path.device.network) else { return false }
        guard !ownDevices.contains(path.device), directory.link(of: path.device) ?? link.id == link.id else {
            blockIsTaken(path, on: link)
            return false
        }
        return true
    }

    /// Another connection has that device, or it is the server's own.
    public func blockIsTaken(_ path: BlockPath, on link: NodeLink) {
        // What is remembered is bounded: a peer that tells of ever more devices gets one line for each of the first few.
        guard let context = link.context as? LinkContext, context.ignored.count < 64,
            context.ignored.insert(path.device).inserted
        else { return }
        let reason = ownDevices.contains(path.device) ? "it is the server's own" : "another connection has this device"
        report(.deviceIgnored(path.device, by: context.visitor, reason: reason))
    }

    /// A block can be reached.
    public func blockAppeared(_ block: MemoryBlock, on link: NodeLink) {
        let path = block.path.device
        guard directory.add(path, link: link.id), let context = link.context as? LinkContext else { return }
        for gone in directory.takeLeaving() { report(.deviceLeft(gone, reason: "its connection withdrew it")) }
        report(.deviceAppeared(path, by: context.visitor))
    }

    /// A block can't be reached any more.
    public func blockRemoved(_ block: MemoryBlock) {
        directory.remove(block.path.device)
        if directory.link(of: block.path.device) == nil { traffic[block.path.device]?.deviceLeft() }
    }

    /// A snapshot came: only a server's own streams have to look at it, forwarding is the node's work.
    public func blockChanged(_ block: MemoryBlock, on link: NodeLink) {
        traffic[block.path.device]?.changed(block)
        if !pairings.isEmpty { turnPairings(link.id) }
        guard ownDevices.contains(block.path.device) else { return }
        if own.blocks.owns(block) {
            if block.path.block == "imp" { update?.imported() }
            return own.streams.turn()
        }
        accounts[block.path.device.network]?.device.streams.turn()
    }

    /// Everything that waited is with the transports, as far as they take it.
    public func drained() {
        turnStreams(all: false)
        if !pairings.isEmpty { turnPairings() }
    }
}
