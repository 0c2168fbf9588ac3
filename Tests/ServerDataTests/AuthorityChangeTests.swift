import Foundation
import Testing

@testable import ServerData

/// Renewal and change of the authority in the data folder, also cut at every moment.
@Suite struct AuthorityChangeTests {
    private let base: TemporaryFolder
    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    init() throws { base = try TemporaryFolder() }

    private var path: String { "\(base.path)/frank" }

    @discardableResult
    private func create() throws -> ServerFolder {
        try ServerFolder.create(
            at: path, options: ServerFolderOptions(hostName: "io.example", names: ["10.1.2.3"], now: now, cost: cheap)
        ).folder
    }

    private func open() throws -> ServerFolder { try ServerFolder.open(at: path) }

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
    }

    private func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }

    private func kind(_ body: () throws -> Void) throws -> FolderError.Kind {
        try #require(throws: FolderError.self, performing: body).kind
    }

    private func fingerprints(_ folder: ServerFolder) -> [String] { folder.trusted.map(\.fingerprint) }

    // MARK: Renewal

    @Test func aRenewalWithANewKeyChangesBothAndNothingElse() throws {
        var folder = try create()
        let (before, key, trust) = (folder.certificate, try text("server.key.pem"), try text("trust.pem"))
        try folder.renewCertificate(newKey: true, now: now + 100 * day)
        let again = try open()
        #expect(again.certificate == folder.certificate && again.certificate.fingerprint != before.fingerprint)
        #expect(again.certificate.names == before.names)
        #expect(try text("server.key.pem") != key)
        #expect(try text("trust.pem") == trust)
        #expect(try text("server.key.pem").components(separatedBy: "BEGIN").count == 2)
        #expect(throws: CertificateError.self) {
            try before.check(signedBy: again.authority, key: try ServerKey(pem: try again.tlsPEM().key))
        }
    }

    @Test func aKeyThatDoesNotBelongToTheCertificateIsNeverTaken() throws {
        try create()
        try ServerKey().pem().write(toFile: "\(path)/server.key.pem", atomically: false, encoding: .utf8)
        #expect(try kind { _ = try open() } == .damaged)
    }

    @Test func ofSeveralKeysTheOneThatFitsIsServed() throws {
        let folder = try create()
        let key = try text("server.key.pem")
        try (try ServerKey().pem() + key + ServerKey().pem())
            .write(toFile: "\(path)/server.key.pem", atomically: false, encoding: .utf8)
        let again = try open()
        #expect(try again.tlsPEM().key == folder.tlsPEM().key)
        var renewed = again
        try renewed.renewCertificate(now: now)
        #expect(try text("server.key.pem") == key)
    }

    @Test func withoutTheKeyOfTheAuthorityNothingIsSigned() throws {
        var folder = try create()
        #expect(folder.canSign)
        try FileManager.default.moveItem(atPath: "\(path)/ca.key.pem", toPath: "\(base.path)/elsewhere.pem")
        #expect(!folder.canSign)
        let error = try #require(throws: FolderError.self) { try folder.renewCertificate(now: now) }
        #expect(error.description.contains("ca.key.pem") && error.description.contains("not in the data folder"))
        // The key of somebody else is not taken for it.
        try CertificateAuthority(host: "io", now: now).keyPEM()
            .write(toFile: "\(path)/ca.key.pem", atomically: false, encoding: .utf8)
        chmod("\(path)/ca.key.pem", 0o600)
        #expect(!folder.canSign)
        #expect(try kind { try folder.renewCertificate(now: now) } == .damaged)
    }

    // MARK: Change of the authority

    @Test func theAuthorityChangesInThreeSteps() throws {
        var folder = try create()
        let old = folder.authority
        let served = folder.certificate

        #expect(try folder.makeNextAuthority(now: now))
        guard case .prepared(let next) = try open().authorityChange else {
            Issue.record("no next authority")
            return
        }
        let prepared = try open()
        #expect(next.subject != old.subject && fingerprints(prepared) == [old.fingerprint, next.fingerprint])
        #expect(try open().certificate == served)

        #expect(try folder.switchAuthority(now: now))
        var switched = try open()
        #expect(switched.authority == next && switched.authorityChange == .switched(previous: old))
        #expect(fingerprints(switched) == [next.fingerprint, old.fingerprint])
        #expect(switched.certificate.names == served.names && switched.certificate.isSigned(by: next))

        #expect(try switched.retireAuthority() == old)
        var retired = try open()
        #expect(retired.authority == next && retired.authorityChange == .none)
        #expect(fingerprints(retired) == [next.fingerprint])
        #expect(!exists("next-ca.pem") && !exists("next-ca.key.pem"))
        #expect(retired.canSign)
        try retired.renewCertificate(now: now)
        #expect(try open().certificate.isSigned(by: next))
    }

    @Test func eachStepCanBeRepeated() throws {
        var folder = try create()
        #expect(try folder.makeNextAuthority(now: now))
        let next = try text("next-ca.pem")
        #expect(try !folder.makeNextAuthority(now: now))
        #expect(try text("next-ca.pem") == next)
        #expect(try folder.switchAuthority(now: now))
        let certificate = try text("server.pem")
        #expect(try !folder.switchAuthority(now: now))
        #expect(try text("server.pem") == certificate)
        #expect(try folder.retireAuthority() != nil)
        #expect(try folder.retireAuthority() == nil)
        #expect(try text("server.pem") == certificate)
    }

    @Test func stepsOutOfOrderAreRefusedWithTheRightOne() throws {
        var folder = try create()
        #expect(try kind { _ = try folder.switchAuthority(now: now) } == .notNow)
        #expect(try kind { _ = try folder.switchAuthorityBack(now: now) } == .notNow)
        _ = try folder.makeNextAuthority(now: now)
        let early = try #require(throws: FolderError.self) { try folder.retireAuthority() }
        #expect(early.kind == .notNow && early.nextStep.contains("switch-ca"))
        _ = try folder.switchAuthority(now: now)
        let late = try #require(throws: FolderError.self) { try folder.makeNextAuthority(now: now) }
        #expect(late.kind == .notNow && late.nextStep.contains("retire-ca"))
    }

    @Test func theServerGoesBackToTheAuthorityBefore() throws {
        var folder = try create()
        let old = folder.authority
        _ = try folder.makeNextAuthority(now: now)
        _ = try folder.switchAuthority(now: now)
        #expect(try folder.switchAuthorityBack(now: now))
        #expect(try open().certificate.isSigned(by: old))
        #expect(try open().authorityChange.other != nil)
        #expect(try !folder.switchAuthorityBack(now: now))
        #expect(try folder.switchAuthority(now: now))
        #expect(try folder.retireAuthority() == old)
    }

    @Test func aRetiredKeyIsGoneFromTheDisk() throws {
        var folder = try create()
        let before = try #require(FileHandle(forReadingAtPath: "\(path)/ca.key.pem"))
        let length = try text("ca.key.pem").utf8.count
        _ = try folder.makeNextAuthority(now: now)
        _ = try folder.switchAuthority(now: now)
        _ = try folder.retireAuthority()
        // Who still has the old file open finds zeros in it.
        #expect(try before.readToEnd() == Data(repeating: 0, count: length))
        #expect(try kind { _ = try folder.switchAuthorityBack(now: now) } == .notNow)
    }

    @Test func theChangeWorksWhereTheOldKeyIsKeptElsewhere() throws {
        var folder = try create()
        try FileManager.default.removeItem(atPath: "\(path)/ca.key.pem")
        _ = try folder.makeNextAuthority(now: now)
        #expect(try folder.switchAuthority(now: now))
        #expect(try kind { _ = try folder.switchAuthorityBack(now: now) } != .notNow)
        _ = try folder.retireAuthority()
        #expect(try open().canSign)
    }

    @Test func certificatesThatSomebodyAddedToTheTrustStay() throws {
        var folder = try create()
        let other = try CertificateAuthority(host: "other", now: now).certificate
        try (folder.trustPEM + other.pem).write(toFile: "\(path)/trust.pem", atomically: false, encoding: .utf8)
        folder = try open()
        _ = try folder.makeNextAuthority(now: now)
        _ = try folder.switchAuthority(now: now)
        _ = try folder.retireAuthority()
        #expect(fingerprints(folder) == [folder.authority.fingerprint, other.fingerprint])
    }

    @Test func devicesAreGivenWhatIsTrusted() throws {
        var folder = try create()
        try folder.publishTrust()
        #expect(try text("persistent-10.dat") == folder.trustPEM + "\0")
        _ = try folder.makeNextAuthority(now: now)
        let text = try self.text("persistent-10.dat")
        #expect(try text == open().trustPEM + "\0")
        #expect(folder.trusted.count == 2)
    }

    @Test func onlyOneProcessChangesCertificatesAtATime() throws {
        try create()
        let lock = try ServerFolder.lockCertificates(at: path)
        #expect(try kind { _ = try ServerFolder.lockCertificates(at: path) } == .busy)
        withExtendedLifetime(lock) {}
    }

    // MARK: Kills

    /// A change that is killed at a moment, and what has to be true of the folder then.
    private func cutEverywhere(
        _ name: String, prepare: (inout ServerFolder) throws -> Void,
        change: (inout ServerFolder) throws -> Void, check: (ServerFolder, Bool) throws -> Void
    ) throws -> Int {
        for stop in 0... {
            let path = "\(base.path)/\(name)\(stop)"
            var folder = try ServerFolder.create(
                at: path, options: ServerFolderOptions(hostName: "io.example", now: now, cost: cheap)
            ).folder
            try prepare(&folder)
            let counter = Counter()
            var files = FolderFiles(path)
            files.checkpoint = { (name, _) throws(FolderError) in
                if counter.next() == stop { throw FolderError(.notWritten, name, "killed", "") }
            }
            var cut = try ServerFolder(files)
            var isComplete = false
            do {
                try change(&cut)
                isComplete = true
            } catch let error as FolderError {
                #expect(error.cause == "killed", "\(error)")
            }
            // It opens, clients that have what was handed out at this moment can connect, and a repetition completes it.
            var after = try ServerFolder.open(at: path)
            #expect(after.trusted.contains { after.certificate.isSigned(by: $0) })
            #expect(after.canSign)
            #expect(after.certificate.fits(try ServerKey(pem: try after.tlsPEM().key)))
            try check(after, false)
            try change(&after)
            let again = try ServerFolder.open(at: path)
            try check(again, true)
            #expect(again.canSign)
            #expect(again.certificate.fits(try ServerKey(pem: try again.tlsPEM().key)))
            if isComplete { return stop }
        }
        return 0
    }

    private final class Counter: @unchecked Sendable {
        private var value = -1
        func next() -> Int {
            value += 1
            return value
        }
    }

    @Test func aRenewalWithANewKeyCanBeKilledAnywhere() throws {
        let moments = try cutEverywhere("renew") { _ in
        } change: {
            try $0.renewCertificate(newKey: true, now: now)
        } check: { _, _ in
        }
        #expect(moments == 9)
    }

    @Test func makingTheNextAuthorityCanBeKilledAnywhere() throws {
        let moments = try cutEverywhere("next") { _ in
        } change: {
            _ = try $0.makeNextAuthority(now: now)
        } check: { folder, isEnd in
            if isEnd { #expect(folder.trusted.count == 2 && folder.authorityChange.other != nil) }
        }
        #expect(moments == 12)
    }

    @Test func theSwitchCanBeKilledAnywhereAndBothStayTrusted() throws {
        let moments = try cutEverywhere("switch") {
            _ = try $0.makeNextAuthority(now: now)
        } change: {
            _ = try $0.switchAuthority(now: now)
        } check: { folder, isEnd in
            #expect(folder.trusted.count == 2)
            if isEnd {
                guard case .switched = folder.authorityChange else {
                    Issue.record("not switched")
                    return
                }
                #expect(folder.trusted.first?.fingerprint == folder.authority.fingerprint)
            }
        }
        #expect(moments == 9)
    }

    @Test func theWayBackCanBeKilledAnywhere() throws {
        _ = try cutEverywhere("back") {
            _ = try $0.makeNextAuthority(now: now)
            _ = try $0.switchAuthority(now: now)
        } change: {
            _ = try $0.switchAuthorityBack(now: now)
        } check: { folder, isEnd in
            #expect(folder.trusted.count == 2)
            if isEnd { #expect(folder.authority.fingerprint == folder.trusted[0].fingerprint) }
        }
    }

    @Test func theRetirementCanBeKilledAnywhere() throws {
        let moments = try cutEverywhere("retire") {
            _ = try $0.makeNextAuthority(now: now)
            _ = try $0.switchAuthority(now: now)
        } change: {
            _ = try $0.retireAuthority()
        } check: { folder, isEnd in
            guard isEnd else { return }
            #expect(folder.authorityChange == .none && folder.trusted.count == 1)
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(names.filter { $0.hasPrefix("next-") } == [] && names.contains("ca.key.pem"))
        }
        #expect(moments == 13)
    }
}
