public import FoundationEssentials

/// Looks at the certificates of a server now and then and decides what has to be done or said. Pure: time comes in.
///
/// The server's certificate is renewed ``CertificateFile/renewalDays`` before its end where that is possible; everything
/// else is for people and is said once a day.
public struct CertificateWatch: Sendable {
    /// Days before its end at which an authority should be changed: every device has to get the next one before that.
    public static let authorityDays = 180
    /// Seconds between two looks.
    static let pause: Double = 3600
    /// Seconds after which the same is said again.
    static let repetition = day

    /// What is looked at.
    public struct Facts: Sendable, Equatable {
        /// The data folder, for the commands to run.
        public var folder: String
        /// The server's certificate.
        public var server: CertificateFile
        /// The authority that signed it.
        public var authority: CertificateFile
        /// How far a change of the authority has come.
        public var change: AuthorityChange
        /// The key of the authority is there.
        public var canSign: Bool

        /// Composes facts.
        public init(
            folder: String, server: CertificateFile, authority: CertificateFile, change: AuthorityChange, canSign: Bool
        ) {
            self.folder = folder
            self.server = server
            self.authority = authority
            self.change = change
            self.canSign = canSign
        }

        /// The facts of a data folder.
        public init(_ folder: ServerFolder) {
            self.init(
                folder: folder.path, server: folder.certificate, authority: folder.authority,
                change: folder.authorityChange, canSign: folder.canSign)
        }
    }

    /// What has to be done.
    public enum Finding: Sendable, Equatable {
        /// Renew the server's certificate; why.
        case renew(String)
        /// Tell somebody.
        case problem(String)
    }

    /// What a problem is about: each is repeated by its own clock.
    private enum Subject: Hashable {
        case server, authority, renewal
    }

    private var latest: Date?
    private var said: [Subject: (text: String, at: Date)] = [:]

    /// A watch that has seen nothing.
    public init() {}

    /// True when it is time to look: an hour after the look before, or when the clock was set to another time.
    public func isDue(now: Date) -> Bool { latest.map { abs(now.timeIntervalSince($0)) >= Self.pause } ?? true }

    /// Certificates have changed: looks again at once, and says again what is still wrong.
    public mutating func startOver() {
        latest = nil
        said = [:]
    }

    /// True when nothing is wrong that somebody was told of.
    public var isContent: Bool { said.isEmpty }

    /// Decides.
    public mutating func look(_ facts: Facts, now: Date) -> [Finding] {
        latest = now
        return serverFindings(facts, now) + authorityFindings(facts, now)
    }

    /// A renewal that was asked for failed; the text to tell, nil when that was told within the last day.
    public mutating func renewalFailed(_ why: String, now: Date) -> String? {
        say(.renewal, "the server's certificate could not be renewed: \(why)", now)
    }

    private mutating func serverFindings(_ facts: Facts, _ now: Date) -> [Finding] {
        let (server, authority) = (facts.server, facts.authority)
        if now < server.notBefore {
            // Made while the clock was ahead; if the authority is not valid yet either, it is now that the clock is wrong.
            guard now >= authority.notBefore else {
                return problem(
                    .server,
                    "the clock of this machine says \(CertificateWords.time(now)), which is before the certificates were made; set it right",
                    now)
            }
            if facts.canSign { return [.renew("it was not valid yet by the clock of this machine")] }
        }
        guard server.needsRenewal(now: now) || now < server.notBefore else { return [] }
        let gains = min(now + Double(CertificateFile.serverDays) * day, authority.notAfter) > server.notAfter + day
        if facts.canSign, gains { return [.renew(CertificateWords.end("it", server, now))] }
        let ended = server.isOutOfDate(now: now) ? "NOBODY WHO CHECKS IT CONNECTS ANY MORE: " : ""
        let what = CertificateWords.end("the server's certificate \(CertificateWords.name(server))", server, now)
        if !gains {
            return problem(
                .server,
                "\(ended)\(what), together with the authority that signed it; change the authority: frank certificates new-ca --data \(facts.folder)",
                now)
        }
        return problem(
            .server,
            "\(ended)\(what); put the key of the authority (ca.key.pem) into the data folder and run: frank certificates renew --data \(facts.folder)",
            now)
    }

    private mutating func authorityFindings(_ facts: Facts, _ now: Date) -> [Finding] {
        guard facts.authority.daysLeft(now: now) < Self.authorityDays else { return [] }
        let ended = facts.authority.isOutOfDate(now: now) ? "NOBODY WHO CHECKS IT CONNECTS ANY MORE: " : ""
        let what = CertificateWords.end("the authority \(CertificateWords.name(facts.authority))", facts.authority, now)
        let step =
            switch facts.change {
            case .none: "make the next one: frank certificates new-ca --data \(facts.folder)"
            case .prepared:
                "the next one is there: give trust.pem to every device and operator, then run: frank certificates switch-ca --data \(facts.folder)"
            case .switched: "make another: frank certificates retire-ca, then new-ca --data \(facts.folder)"
            }
        return problem(.authority, "\(ended)\(what); \(step)", now)
    }

    private mutating func problem(_ subject: Subject, _ text: String, _ now: Date) -> [Finding] {
        say(subject, text, now).map { [.problem($0)] } ?? []
    }

    private mutating func say(_ subject: Subject, _ text: String, _ now: Date) -> String? {
        if let before = said[subject], abs(now.timeIntervalSince(before.at)) < Self.repetition { return nil }
        said[subject] = (text, now)
        return text
    }
}
