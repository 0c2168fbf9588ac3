public import Access
import DeviceDescription
public import IOCOM
import NIOCore

extension Operator {
    /// What this operator may do in a network, as far as the server tells; everything with servers of the original.
    public func access(to network: NetworkName) async throws -> Access {
        let session = session
        return try await loop.submit { session.value.access(to: network) }.get()
    }

    /// Fails when the account does not allow an operation on a device: it would be refused, without a word.
    public func check(_ operation: Operation, on path: DevicePath) async throws {
        let session = session
        let refusal = try await loop.submit { () -> String? in
            let target = session.value.target
            return session.value.access(to: path.network)
                .refusal(of: operation, user: "\(target.user)", network: "\(path.network)")
        }.get()
        if let refusal { throw OperatorError(.notAllowed, "\(path): \(refusal)") }
    }

    /// The operation that writing a persistent block of a device takes.
    func operation(writing block: Int, of path: DevicePath) -> Operation {
        switch path.name {
        case "accounts": .manageAccounts
        default: block == 1 || block == 13 ? .writePrograms : .writeConfiguration
        }
    }

    /// The operation that setting a signal takes.
    func operation(setting signal: String) -> Operation {
        switch signal {
        case "upd_confirm", "upd_rollback": .writePrograms
        case "reboot", "forget_it", "factory_rst", "cfg_back": .writeConfiguration
        default: signal.hasPrefix("set_nc_") ? .writeConfiguration : .setSignals
        }
    }
}
