import Access
import Discovery
import IOCOM
import IODevice
import TerminalUI

extension ModuleRun {
    /// The longest pause between attempts of a device that waits to be let in: it is shown to operators for 8 s after each
    /// (application-layer.md 7.7).
    static let longestPairingPause: Int64 = 4_000

    /// Where a device is paired: not with a server that was only found. Anybody on the network can announce one, and it would
    /// become this device's for good.
    static func pairingAddress(
        _ configured: ServerAddress, _ commandLine: ServerAddress
    ) throws(CandyError) -> ServerAddress {
        for address in [configured, commandLine] {
            if case .fixed = address { return address }
        }
        throw CandyError(
            .usage,
            "this device has no certificates, and is not paired with a server that is only found: give the server's address, or "
                + "its trust.pem with --trust")
    }

    /// A server answered; it is not known to be the right one.
    func met(_ certificate: [UInt8], at server: String) {
        guard isUnpaired, certificate != shownCertificate else { return }
        shownCertificate = certificate
        let code = PairingCode(password: (0..<password.count).map { password[$0] }, certificate: certificate)
        let name = settings.hasAutomaticNumber ? "\(settings.name)" : "\(settings.name)\(settings.number)"
        log.note(
            "pairing",
            "not paired yet: compare the code \(code) and let this device in with "
                + "'ispy accounts accept \(settings.network) \(name)'",
            [("code", .string(code.description)), ("server", .string(server))])
    }

    /// The server knows this device, so the certificates are the right ones.
    func proveTrust() async throws {
        guard trustDeadline != nil else { return }
        trustDeadline = nil
        try await Self.offLoop { [module] in try TrustKeeper(module.store).proved() }
        log.note("paired", "this device is bound to its server: the new certificates have proved themselves")
    }

    /// Certificates that led nowhere are given up.
    func lookAtTrust() async throws -> Ending? {
        guard let trustDeadline, now >= trustDeadline else { return nil }
        self.trustDeadline = nil
        try await Self.offLoop { [module] in try TrustKeeper(module.store).putBack() }
        log.note("trust", "the server was not reached with the new certificates: those before are put back")
        return .restart("the certificates before are put back")
    }
}
