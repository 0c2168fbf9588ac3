import Access
import IOCOM
import IODevice
import IONode

/// Each network's pseudo-device `accounts<k>` has a block for each role of an operator; a connection sees the one of its own
/// role. So an operator's tool knows what will be refused before it tries (docs/protocol-extensions.md).
enum RoleBlock {
    /// Name of the block of a role.
    static func name(_ role: Role) -> BlockName? { BlockName("role_" + role.rawValue) }

    /// True for the name of such a block.
    static func isOne(_ name: BlockName) -> Bool { name.description.hasPrefix("role_") }
}

extension Server {
    static func addRoles(_ devices: Set<DevicePath>, on node: Node) throws(DeviceSetupError) {
        for device in devices {
            for role in Role.allCases where role.isOperator {
                let text = AccessTable.operations(of: role).map(\.rawValue).sorted().joined(separator: ",")
                let bytes = Array(text.utf8)
                guard let name = RoleBlock.name(role),
                    let block = node.addBlock(
                        BlockPath(block: name, device: device), flags: [.up, .static, .floor], size: bytes.count)
                else { throw DeviceSetupError("the roles of \(device) can't be shown: there is no memory") }
                block.write(bytes.span.bytes, at: 0)
                block.publish()
            }
        }
    }

    /// What is not shown to a role of the server's own blocks. Accounts hold password hashes and make administrators: they
    /// are for administrators.
    func hidden(from role: Role) -> @Sendable (BlockPath) -> Bool {
        let own = RoleBlock.name(role)
        let seesAccounts = Access(role).allows(.manageAccounts)
        return { [accountsDevices] path in
            guard accountsDevices.contains(path.device) else { return false }
            return RoleBlock.isOne(path.block) ? path.block != own : !seesAccounts
        }
    }
}
