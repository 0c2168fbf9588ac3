public import FoundationEssentials

/// Certificates in words.
public enum CertificateWords {
    /// `2028-11-24T11:55:18Z`
    public static func time(_ date: Date) -> String { date.formatted(.iso8601) }

    /// The first name that tells something and the start of the fingerprint: `io.example (SHA-256 AB:CD:EF:01…)`.
    public static func name(_ certificate: CertificateFile) -> String {
        let name = certificate.names.first { $0 != "localhost" } ?? certificate.subject
        return "\(name) (SHA-256 \(certificate.fingerprint.prefix(11))…)"
    }

    /// When something ends or has ended.
    public static func end(_ what: String, _ certificate: CertificateFile, _ now: Date) -> String {
        if now < certificate.notBefore { return "\(what) is not valid before \(time(certificate.notBefore))" }
        let time = time(certificate.notAfter)
        if now > certificate.notAfter {
            return "\(what) ended \(days(Int(now.timeIntervalSince(certificate.notAfter) / day))) ago (\(time))"
        }
        return "\(what) ends in \(days(certificate.daysLeft(now: now))) (\(time))"
    }

    /// `1 day`, `2 days`
    public static func days(_ count: Int) -> String { count == 1 ? "1 day" : "\(count) days" }
}
