import FoundationEssentials
import IOCOM
import IOCOMTransport
import IODevice
import NIOCore
import NIOPosix
import NIOSSL
import ServerData

/// Watches the certificates of a server that runs: takes others from the data folder into use without a restart, renews the
/// server's own in time and says what people have to do. Confined to the loop; files are touched elsewhere.
final class CertificateKeeper {
    /// Ticks of the server, half a second each, between two looks at the files.
    private static let ticksBetween = 4

    private let path: String
    private let files: [String]
    private let device: OwnDevice
    private let loop: any EventLoop
    private let report: @Sendable (ServerEvent) -> Void
    private let use: (NIOSSLContext) -> Void
    private var watch = CertificateWatch()
    private var served: String
    /// What the files looked like at the latest look; nil before the first.
    private var stamps: [FileStamp?]?
    private var ticks = 0
    private var isBusy = false
    /// Somebody wanted a look while there was one.
    private var looksAgain = false

    /// `folder` is what is served now; `use` puts another certificate in force.
    init(
        _ folder: ServerFolder, shownBy device: OwnDevice, on loop: any EventLoop,
        report: @escaping @Sendable (ServerEvent) -> Void, use: @escaping (NIOSSLContext) -> Void
    ) {
        path = folder.path
        files = folder.certificateFiles
        served = folder.certificate.fingerprint
        self.device = device
        self.loop = loop
        self.report = report
        self.use = use
    }

    /// The credentials of a folder, made from what was checked and not from what the files may hold by now.
    static func context(_ folder: ServerFolder) throws -> NIOSSLContext {
        let (certificate, key) = try folder.tlsPEM()
        return try TLSServerSettings.makeContext(certificatePEM: certificate, keyPEM: key)
    }

    /// To be called every half second.
    func tick() {
        if ticks.isMultiple(of: Self.ticksBetween), !isBusy { look() }
        ticks += 1
    }

    // MARK: Looking

    private struct Found: Sendable {
        var stamps: [FileStamp?]
        var folder: Result<Material, any Error>
    }

    private struct Material: Sendable {
        var facts: CertificateWatch.Facts
        var tls: NIOSSLContext
        /// Why devices may be given something older than what is trusted.
        var publishing: String?
    }

    /// Looks at the files when they changed or when it is time.
    func look(at now: Date = .now) {
        guard !isBusy else {
            looksAgain = true
            return
        }
        isBusy = true
        let isDue = watch.isDue(now: now)
        let (path, files, known) = (path, files, stamps)
        offLoop { () throws -> Found? in
            let stamps = files.map { FileStamp($0) }
            guard isDue || stamps != known else { return nil }
            return Found(stamps: stamps, folder: Result { try Self.open(path) })
        } then: { keeper, found in
            keeper.isBusy = false
            if let found = try? found.get() { keeper.consider(found, now) }
            if keeper.looksAgain {
                keeper.looksAgain = false
                keeper.look()
            }
        }
    }

    private static func open(_ path: String) throws -> Material {
        var folder = try ServerFolder.open(at: path)
        var material = Material(facts: CertificateWatch.Facts(folder), tls: try context(folder))
        // What devices get is what trust.pem says, whoever wrote it, also when that was a moment ago.
        do {
            while true {
                try folder.publishTrust()
                let now = try ServerFolder.open(at: path)
                if now.trustPEM == folder.trustPEM { break }
                folder = now
            }
        } catch { material.publishing = "\(error)" }
        return material
    }

    private func consider(_ found: Found, _ now: Date) {
        let isChanged = found.stamps != stamps
        stamps = found.stamps
        switch found.folder {
        case .failure(let error):
            // It is tried again; the same files are told of once.
            if isChanged {
                let text = "the certificates in the data folder can't be used, those before stay in force: \(error)"
                report(.problem(text))
                show(("cert_text", .text(text)))
            }
        case .success(let material):
            let facts = material.facts
            if isChanged, let why = material.publishing {
                report(.problem("devices are not given the authorities of trust.pem: \(why)"))
            }
            if facts.server.fingerprint != served {
                served = facts.server.fingerprint
                use(material.tls)
                watch.startOver()
                report(
                    .certificateServed(
                        fingerprint: facts.server.fingerprint, until: CertificateWords.time(facts.server.notAfter)))
            } else if isChanged {
                watch.startOver()
            }
            show(facts, now)
        }
    }

    private func show(_ facts: CertificateWatch.Facts, _ now: Date) {
        let findings = watch.look(facts, now: now)
        var text = "valid until \(CertificateWords.time(facts.server.notAfter))"
        for finding in findings {
            switch finding {
            case .problem(let problem):
                report(.problem(problem))
                text = problem
            case .renew(let why): renew(why)
            }
        }
        show(
            ("cert_days", .integer(Int64(facts.server.daysLeft(now: now)))),
            ("ca_days", .integer(Int64(facts.authority.daysLeft(now: now)))))
        // What was said stays readable until the certificates change.
        if !findings.isEmpty || watch.isContent { show(("cert_text", .text(text))) }
    }

    private func show(_ values: (String, SignalValue)...) {
        for (name, value) in values { device.blocks.set(name, value) }
        device.blocks.publish()
    }

    // MARK: Renewing

    private func renew(_ why: String) {
        let path = path
        offLoop { () throws -> CertificateFile in
            let lock = try ServerFolder.lockCertificates(at: path)
            defer { withExtendedLifetime(lock) {} }
            var folder = try ServerFolder.open(at: path)
            try folder.renewCertificate(now: .now)
            return folder.certificate
        } then: { keeper, result in
            switch result {
            case .success(let certificate):
                keeper.report(
                    .certificateRenewed(
                        names: certificate.names, until: CertificateWords.time(certificate.notAfter), reason: why))
                keeper.look()
            case .failure(let error):
                if let text = keeper.watch.renewalFailed("\(error)", now: .now) {
                    keeper.report(.problem(text))
                    keeper.show(("cert_text", .text(text)))
                }
            }
        }
    }

    private func offLoop<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value,
        then body: @escaping (CertificateKeeper, Result<Value, any Error>) -> Void
    ) {
        let bound = NIOLoopBound((self, body), eventLoop: loop)
        NIOThreadPool.singleton.runIfActive(eventLoop: loop, work).whenComplete { result in
            let (keeper, body) = bound.value
            body(keeper, result)
        }
    }
}
