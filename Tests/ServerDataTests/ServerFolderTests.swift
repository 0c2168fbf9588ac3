import Access
import Foundation
import IOCOM
import Testing

@testable import ServerData

@Suite struct ServerFolderTests {
    private let base: TemporaryFolder
    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    init() throws { base = try TemporaryFolder() }

    private var path: String { "\(base.path)/deep/frank" }

    private func options(_ network: String = "cafenet", publish: [String] = [], demo: Bool = false)
        -> ServerFolderOptions
    {
        ServerFolderOptions(
            network: network, publish: publish, hostName: "io.example", names: ["10.1.2.3"], isDemo: demo, now: now,
            cost: cheap)
    }

    private func create(_ options: ServerFolderOptions? = nil) throws -> ServerFolder.Created {
        try ServerFolder.create(at: path, options: options ?? self.options())
    }

    private func open() throws -> ServerFolder { try ServerFolder.open(at: path) }

    private func mode(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
        return (attributes[.posixPermissions] as? Int) ?? -1
    }

    private func write(_ name: String, _ text: String, mode: Int = 0o600) throws {
        try text.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: "\(path)/\(name)")
    }

    private func error(_ body: () throws -> Void) throws -> FolderError {
        try #require(throws: FolderError.self, performing: body)
    }

    @Test func theFolderHoldsWhatAServerNeeds() throws {
        let created = try create(options(publish: ["cafenet", "asteroidnet"]))
        let folder = try open()
        #expect(folder.settings == created.folder.settings)
        #expect(folder.settings.publish == ["cafenet", "asteroidnet"])
        #expect(folder.settings.network == "cafenet" && folder.settings.deviceNumber == 1 && !folder.settings.isDemo)
        #expect(folder.certificate.names.contains("io.example") && folder.certificate.names.contains("10.1.2.3"))
        #expect(folder.accountsBlock(of: "asteroidnet") == 22)
        #expect(folder.accountsBlock(of: "othernet") == nil)
        #expect(try CertificateFile(pem: folder.trustPEM).fingerprint == folder.authority.fingerprint)
        #expect(try mode("") == 0o700)
        for secret in ["ca.key.pem", "server.key.pem", "persistent-21.dat", "persistent-22.dat", "server.json"] {
            #expect(try mode(secret) == 0o600)
        }
        for open in ["ca.pem", "server.pem", "trust.pem"] { #expect(try mode(open) == 0o644) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).count == 8)
    }

    @Test func theAdministratorLogsInWithTheGeneratedPasswordOnEveryNetwork() throws {
        let created = try create(options(publish: ["cafenet", "asteroidnet"]))
        let documents = try created.folder.settings.publish.map {
            NetworkAccounts($0, try created.folder.accounts(of: $0))
        }
        #expect(documents[0].accounts != documents[1].accounts)
        let server = Authorizer(ownNetwork: "cafenet", documents: documents, wantedCost: cheap)
        let password = try #require(PasswordText(created.password))
        for network in created.folder.settings.publish {
            guard
                case .accepted(let result) = server.decide(
                    LoginAttempt(name: "root", network: network, password: password))
            else {
                Issue.record("refused on \(network)")
                continue
            }
            #expect(result.network == network && result.role == .admin && result.upgrades.isEmpty)
        }
        let wrong = server.decide(LoginAttempt(name: "root", network: "cafenet", password: "pass"))
        #expect(
            wrong
                == .refused(
                    Refusal(
                        reason: .wrongPassword, network: "cafenet", name: "root", passwordHash: OriginalHash.of("pass"))
                ))
    }

    @Test func thePasswordIsNowhereInTheFolder() throws {
        let created = try create()
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)"))
            #expect(bytes.range(of: Data(created.password.utf8)) == nil)
            #expect(bytes.range(of: Data(OriginalHash.of(created.password).utf8)) == nil)
        }
    }

    @Test func generatedPasswordsAreLongAndClear() {
        let passwords = (0..<200).map { _ in GeneratedPassword.make() }
        #expect(Set(passwords).count == 200)
        for password in passwords {
            #expect(password.utf8.count == 29 && PasswordText(password) != nil)
            #expect(password.filter { $0 != "-" }.count == 25)
            #expect(!password.contains { "0o1lIiO".contains($0) })
        }
    }

    @Test func aDemonstrationUsesThePasswordEverybodyKnows() throws {
        let created = try create(options(demo: true))
        #expect(created.password == "pass")
        #expect(try open().settings.isDemo)
        let stored = try created.folder.accounts(of: "cafenet").users[0]
        #expect(stored.user == "root*" && stored.privileges == "admin")
        #expect(PasswordHash.verify(stored: stored.password, presented: "pass", wanted: cheap) == .match)
    }

    @Test func nothingIsOverwritten() throws {
        _ = try create()
        let before = try Data(contentsOf: URL(fileURLWithPath: "\(path)/ca.key.pem"))
        #expect(try error { _ = try create() }.kind == .alreadyExists)
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(path)/ca.key.pem")) == before)
    }

    @Test func aFolderWithOtherFilesIsLeftAlone() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try write("holiday.jpg", "x")
        let error = try error { _ = try create() }
        #expect(error.kind == .occupied && error.cause.contains("holiday.jpg"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["holiday.jpg"])
    }

    @Test func anEmptyFolderIsUsedAndClosedToOthers() throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o777])
        _ = try create()
        #expect(try mode("") == 0o700)
    }

    @Test func wrongOptionsAreRefusedBeforeAnythingIsWritten() throws {
        let wrong = [
            options(""), options("a.b"), options("a,b"), options("anamethatismuchtoolongforit"),
            options(publish: ["asteroidnet"]), options(publish: ["cafenet", "cafenet"]),
            options("n0", publish: (0..<21).map { "n\($0)" }),
        ]
        for options in wrong { #expect(try error { _ = try create(options) }.kind == .badOptions) }
        var host = options()
        host.names = ["not a host"]
        #expect(try error { _ = try create(host) }.kind == .badOptions)
        var number = options()
        number.deviceNumber = 9000
        #expect(try error { _ = try create(number) }.kind == .badOptions)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    /// Stops, as a kill would, at each moment of each write; nothing is cleaned up after it.
    @Test func aKillAtAnyMomentLeavesAFolderThatIsRecognised() throws {
        var stops = 0
        for stop in 0... {
            let path = "\(base.path)/kill\(stop)"
            let counter = Counter()
            var files = FolderFiles(path)
            files.checkpoint = { (name, _) throws(FolderError) in
                if counter.next() == stop { throw FolderError(.notWritten, name, "killed", "") }
            }
            do {
                _ = try ServerFolder.create(files, options(publish: ["cafenet", "asteroidnet"]))
                break
            } catch {
                #expect(error.cause == "killed")
            }
            stops += 1
            do {
                _ = try ServerFolder.open(at: path)
                // The only moment at which the folder is complete: the mark is removed, only that is not yet on disk.
                #expect(!FileManager.default.fileExists(atPath: "\(path)/incomplete"))
                #expect(throws: FolderError.self) {
                    try ServerFolder.create(at: path, options: options())
                }
                continue
            } catch {
                #expect(error.kind == .halfMade || error.kind == .missing)
                #expect(error.nextStep.contains("frank init"))
            }
            do {
                _ = try ServerFolder.create(at: path, options: options())
                _ = try ServerFolder.open(at: path)
                // Killed before the first file: the empty folder was simply used.
                #expect(stop == 0)
            } catch {
                #expect(error.kind == .halfMade)
            }
        }
        #expect(stops == 9 * 3 + 2)
    }

    private final class Counter: @unchecked Sendable {
        private var value = -1
        func next() -> Int {
            value += 1
            return value
        }
    }

    @Test func aMissingFolderSaysHowToMakeOne() throws {
        let error = try error { _ = try open() }
        #expect(error.kind == .missing && error.nextStep.contains("frank init --data \(path)"))
    }

    @Test(arguments: ["server.json", "ca.pem", "server.pem", "server.key.pem", "trust.pem"])
    func eachMissingOrDamagedFileIsNamed(name: String) throws {
        _ = try create()
        let good = try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
        for content in ["", "garbage", String(good.dropLast(good.count / 2))] {
            try write(name, content)
            let error = try error { _ = try open() }
            #expect(error.kind == .damaged && error.path.hasSuffix("/" + name), "\(error)")
        }
        try write(name, String(repeating: "x", count: 70000))
        #expect(try error { _ = try open() }.cause.contains("larger than"))
        try FileManager.default.removeItem(atPath: "\(path)/\(name)")
        let missing = try error { _ = try open() }
        #expect(missing.kind == .missing && missing.path.hasSuffix("/" + name))
        try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: false)
        #expect(try error { _ = try open() }.cause.contains("regular file"))
    }

    @Test(.timeLimit(.minutes(10)))
    func aPipeInPlaceOfAFileDoesNotHang() throws {
        _ = try create()
        try FileManager.default.removeItem(atPath: "\(path)/server.json")
        #expect(mkfifo("\(path)/server.json", 0o600) == 0)
        #expect(try error { _ = try open() }.kind == .damaged)
    }

    @Test func filesOfAnotherServerAreNoticed() throws {
        _ = try create()
        let other = "\(base.path)/other"
        _ = try ServerFolder.create(at: other, options: options())
        for name in ["ca.pem", "server.pem", "server.key.pem", "trust.pem"] {
            let own = try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
            try write(name, try String(contentsOfFile: "\(other)/\(name)", encoding: .utf8))
            #expect(try error { _ = try open() }.kind == .damaged)
            try write(name, own)
            _ = try open()
        }
    }

    @Test func secretsThatOthersCanReadAreRefused() throws {
        _ = try create()
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: "\(path)/server.key.pem")
        let exposed = try error { _ = try open() }
        #expect(exposed.kind == .exposed && exposed.nextStep.contains("chmod 600"))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(path)/server.key.pem")
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: path)
        #expect(try error { _ = try open() }.kind == .exposed)
    }

    @Test func damagedAccountsStopTheirNetworkOnly() throws {
        _ = try create(options(publish: ["cafenet", "asteroidnet"]))
        try write("persistent-22.dat", "garbage")
        let folder = try open()
        _ = try folder.accounts(of: "cafenet")
        let error = try error { _ = try folder.accounts(of: "asteroidnet") }
        #expect(error.kind == .damaged && error.path.hasSuffix("persistent-22.dat"))
        #expect(error.nextStep.contains("nobody can log in"))
    }

    @Test func accountsAreReplaced() throws {
        let folder = try create().folder
        var accounts = try folder.accounts(of: "cafenet")
        accounts.users.append(Account(user: "gina1", password: OriginalHash.of("x")))
        try folder.save(accounts, of: "cafenet")
        #expect(try open().accounts(of: "cafenet").users.map(\.user) == ["root*", "gina1"])
        #expect(try mode("persistent-21.dat") == 0o600)
        #expect(try error { try folder.save(accounts, of: "othernet") }.kind == .badOptions)
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasPrefix(".") } == [])
    }

    @Test func aWriteThatIsCutLeavesTheOldAccounts() throws {
        let folder = try create().folder
        for cut in [FolderFiles.Moment.before, .written] {
            var files = FolderFiles(path)
            files.checkpoint = { (name, moment) throws(FolderError) in
                if moment == cut { throw FolderError(.notWritten, name, "killed", "") }
            }
            let cutFolder = try ServerFolder(files)
            #expect(throws: FolderError.self) { try cutFolder.save(Accounts(), of: "cafenet") }
            #expect(try folder.accounts(of: "cafenet").users.count == 1)
        }
    }

    @Test func automaticNumbersAreKeptAndDamageIsTold() throws {
        let folder = try create().folder
        #expect(folder.automaticNumbers().table == AutomaticNumbers() && folder.automaticNumbers().problem == nil)
        var table = AutomaticNumbers()
        _ = table.assign(to: [UInt8](repeating: 3, count: 12)) { _ in false }
        try folder.save(table)
        #expect(folder.automaticNumbers().table == table)
        try write("persistent-12.dat", "garbage")
        #expect(folder.automaticNumbers().table == AutomaticNumbers())
        #expect(folder.automaticNumbers().problem?.contains("block 12") == true)
    }

    @Test func renewalKeepsTheKeyAndTheNames() throws {
        var folder = try create().folder
        let before = folder.certificate
        let key = try String(contentsOfFile: "\(path)/server.key.pem", encoding: .utf8)
        try folder.renewCertificate(now: now + 700 * day)
        #expect(folder.certificate.notAfter > before.notAfter && folder.certificate.names == before.names)
        let again = try open()
        #expect(again.certificate == folder.certificate)
        #expect(try String(contentsOfFile: "\(path)/server.key.pem", encoding: .utf8) == key)
        try folder.renewCertificate(names: try ServerNames(["new.example"]), now: now)
        #expect(try open().certificate.names.contains("new.example"))
        try FileManager.default.removeItem(atPath: "\(path)/ca.key.pem")
        _ = try open()
        #expect(try error { try folder.renewCertificate(now: now) }.path.hasSuffix("ca.key.pem"))
    }

    @Test func settingsWithoutOptionalMembersAreRead() throws {
        _ = try create()
        try write("server.json", "{\"network\": \"cafenet\", \"later\": [1]}")
        #expect(try open().settings == ServerSettings(network: "cafenet"))
        for wrong in ["{}", "[]", "{\"network\": 1}", "{\"network\": \"a\", \"device_nr\": -1}"] {
            try write("server.json", wrong)
            #expect(try error { _ = try open() }.path.hasSuffix("server.json"))
        }
    }

    @Test func aFolderThatCannotBeMadeSaysWhy() throws {
        try "x".write(toFile: "\(base.path)/deep", atomically: false, encoding: .utf8)
        let error = try error { _ = try create() }
        #expect(error.path.hasPrefix(base.path) && !error.nextStep.isEmpty)
    }
}
