import Foundation
import Testing

@testable import ServerData

/// What a server does and says about its certificates as time goes by.
@Suite struct CertificateWatchTests {
    private let start = Date(timeIntervalSince1970: 1_800_000_000)
    private let authority: CertificateAuthority
    private let server: CertificateFile

    init() throws {
        authority = try CertificateAuthority(host: "io", now: start)
        server = try authority.issue(for: try ServerNames(["io.example"]), key: ServerKey(), now: start)
    }

    private func facts(canSign: Bool = true, change: AuthorityChange = .none, server: CertificateFile? = nil)
        -> CertificateWatch.Facts
    {
        CertificateWatch.Facts(
            folder: "/data", server: server ?? self.server, authority: authority.certificate, change: change,
            canSign: canSign)
    }

    private func problems(_ findings: [CertificateWatch.Finding]) -> [String] {
        findings.compactMap { if case .problem(let text) = $0 { text } else { nil } }
    }

    private func days(_ count: Double) -> Date { start + count * day }

    @Test func aYoungCertificateIsLeftAlone() {
        var watch = CertificateWatch()
        for count in [0.0, 1, 300, 669] { #expect(watch.look(facts(), now: days(count)).isEmpty) }
        #expect(watch.isContent)
    }

    @Test func sixtyDaysBeforeTheEndItIsRenewed() {
        var watch = CertificateWatch()
        #expect(watch.look(facts(), now: days(671)).count == 1)
        guard case .renew(let why)? = watch.look(facts(), now: days(690)).first else {
            Issue.record("not renewed")
            return
        }
        #expect(why.contains("ends in 40 days"), "\(why)")
    }

    @Test func alsoAfterTheEndItIsRenewed() {
        var watch = CertificateWatch()
        guard case .renew(let why)? = watch.look(facts(), now: days(740)).first else {
            Issue.record("not renewed")
            return
        }
        #expect(why.contains("ended 10 days ago"), "\(why)")
    }

    @Test func withoutTheKeySomebodyIsToldOnceADay() {
        var watch = CertificateWatch()
        let first = problems(watch.look(facts(canSign: false), now: days(690)))
        #expect(first.count == 1)
        #expect(
            first[0].contains("io.example") && first[0].contains("ends in 40 days")
                && first[0].contains("frank certificates renew --data /data") && first[0].contains("ca.key.pem"))
        #expect(!watch.isContent)
        for hour in 1..<24 { #expect(watch.look(facts(canSign: false), now: days(690) + Double(hour) * 3600).isEmpty) }
        #expect(problems(watch.look(facts(canSign: false), now: days(691)))[0].contains("39 days"))
    }

    @Test func anEndedCertificateIsSaidLoudly() {
        var watch = CertificateWatch()
        let text = problems(watch.look(facts(canSign: false), now: days(733.5)))[0]
        #expect(text.contains("NOBODY WHO CHECKS IT CONNECTS") && text.contains("ended 3 days ago"), "\(text)")
    }

    @Test func aCertificateMadeByAClockThatWasAheadIsMadeAgain() {
        var watch = CertificateWatch()
        let ahead = try? authority.issue(for: ServerNames([]), key: ServerKey(), now: days(1000))
        #expect(watch.look(facts(server: ahead), now: days(10)).count == 1)
        var other = CertificateWatch()
        // Nothing is made by a clock that stands before the authority's own time.
        let text = problems(other.look(facts(), now: start - 3650 * day))
        #expect(text.first?.contains("the clock of this machine") == true, "\(text)")
    }

    @Test func theAuthorityIsToldOfLongBefore() {
        var watch = CertificateWatch()
        let late = days(Double(CertificateAuthority.days) - 170)
        let young = try? authority.issue(for: ServerNames([]), key: ServerKey(), now: late)
        let text = problems(watch.look(facts(server: young), now: late))
        #expect(text.count == 1 && text[0].contains("new-ca --data /data"), "\(text)")
        var prepared = CertificateWatch()
        let next = prepared.look(
            facts(change: .prepared(next: authority.certificate), server: young), now: late)
        #expect(problems(next)[0].contains("switch-ca"))
    }

    @Test func aRenewalThatGainsNothingIsNotTriedForEver() {
        var watch = CertificateWatch()
        let end = authority.certificate.notAfter
        let last = try? authority.issue(for: ServerNames([]), key: ServerKey(), now: end - 100 * day)
        let findings = watch.look(facts(server: last), now: end - 20 * day)
        #expect(findings.count == 2 && problems(findings).count == 2, "\(findings)")
        #expect(problems(findings)[0].contains("together with the authority"))
    }

    @Test func aFailedRenewalIsToldOnceADay() {
        var watch = CertificateWatch()
        #expect(watch.renewalFailed("the disk is full", now: start)?.contains("the disk is full") == true)
        #expect(watch.renewalFailed("the disk is full", now: start + 3600) == nil)
        #expect(watch.renewalFailed("the disk is full", now: start + day) != nil)
        watch.startOver()
        #expect(watch.isContent)
    }

    @Test func itLooksOnceAnHourAndWhenTheClockWasSet() {
        var watch = CertificateWatch()
        #expect(watch.isDue(now: start))
        _ = watch.look(facts(), now: start)
        #expect(!watch.isDue(now: start + 3599) && watch.isDue(now: start + 3600))
        #expect(watch.isDue(now: start - 7200))
        watch.startOver()
        #expect(watch.isDue(now: start))
    }
}
