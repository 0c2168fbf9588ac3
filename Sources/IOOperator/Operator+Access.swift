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

    /// The operation that writing a persistent block of a device takes. What nobody may write the device refuses itself.
    func operation(writing block: Int, of path: DevicePath) -> Operation {
        path.name == "accounts" ? .manageAccounts : Rights.writing(block: block) ?? .writeConfiguration
    }

    /// The operation that setting a signal takes.
    func operation(setting signal: String) -> Operation { Rights.setting(signal) ?? .setSignals }
}
