import Access
public import IOCOM
import IODevice
public import IONode

/// The server's enforcement of the access table: what an operator wants to write is looked at before it is written.
extension Server {
    /// Blocks that an operator writes go through the rules; what a device writes into its own is its own business.
    public func review(_ block: MemoryBlock, on link: NodeLink) -> SnapshotReview? {
        guard link.direction == .up else { return nil }
        let path = block.path.device
        return { [weak self, weak link] proposal in
            guard let self, let link, let context = link.context as? LinkContext else {
                var all = RangeSet()
                all.add(ByteRange(0, proposal.block.size))
                return all
            }
            return self.review(proposal, of: path, by: link, context)
        }
    }

    private func review(
        _ proposal: SnapshotProposal, of path: DevicePath, by link: NodeLink, _ context: LinkContext
    ) -> RangeSet {
        if path == serverPath, proposal.block.path.block != "conf_imp", !context.access.allows(.manageServer) {
            var all = RangeSet()
            all.add(ByteRange(0, proposal.block.size))
            tell(.manageServer, on: path, context)
            return all
        }
        let result = traffic(of: path).review(proposal, by: link, context) { [self] direction, block in
            needs(direction, block, of: path)
        }
        for finding in result.findings {
            guard case .refused(let direction, let block, let reason) = finding else { continue }
            switch reason {
            case .busy:
                tell("block \(block) of \(path) is in use by another operator", on: path, context)
            case .notAllowed(let operation?): tell(operation, on: path, context)
            case .notAllowed(nil):
                let verb = direction == .upload ? "written" : "read"
                tell("block \(block) of \(path) is a secret that is never \(verb) over the network", on: path, context)
            }
        }
        if result.findings.isEmpty, !result.refused.isEmpty, proposal.block.path.block != "conf_imp" {
            tell(.setSignals, on: path, context)
        }
        for command in result.commands {
            report(.command(path, signal: command.signal, by: context.visitor))
        }
        return result.refused
    }

    /// Which right reading or writing a block takes; the server's own devices are for administrators.
    private func needs(_ direction: StreamDirection, _ block: Int, of path: DevicePath) -> Operation? {
        if accountsDevices.contains(path) { return .manageAccounts }
        // The server's own device refuses its secrets itself, and says so.
        if path == serverPath && (direction == .upload || block != PersistentBlock.defaults) { return .manageServer }
        return direction == .upload ? Rights.writing(block: block) : Rights.reading(block: block)
    }

    private func tell(_ operation: Operation, on path: DevicePath, _ context: LinkContext) {
        let refusal = context.access.refusal(
            of: operation, user: context.visitor.user, network: path.network.description)
        guard let refusal else { return }
        tell(refusal, on: path, context)
    }

    /// Says it once in a while: a peer that tries again and again does not fill the log.
    private func tell(_ reason: String, on path: DevicePath, _ context: LinkContext) {
        if let last = context.lastDenied, node.now - last < 1_000 { return }
        context.lastDenied = node.now
        report(.denied(path, by: context.visitor, reason: reason))
    }

    // MARK: Traffic

    func traffic(of path: DevicePath) -> DeviceTraffic {
        if let known = traffic[path] { return known }
        let made = DeviceTraffic(path, on: node) { [report] transfer in report(.transfer(transfer)) }
        traffic[path] = made
        return made
    }

    /// Forgets what nobody needs any more.
    func turnTraffic() {
        for (path, device) in traffic {
            device.turn()
            let isThere = ownDevices.contains(path) || directory.link(of: path) != nil
            if device.isIdle && !isThere { traffic[path] = nil }
        }
    }
}
