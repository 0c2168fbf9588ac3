import ArgumentParser
import ByteTools
import Programs
import TerminalUI

/// `ispy package verify PACKAGE… --keys FILE|FOLDER`
struct PackageVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Says whether packages are what a trusted key signed.")

    @Argument(help: ArgumentHelp("Package files.", valueName: "package"))
    var packages: [String]

    @Option(help: ArgumentHelp("Public key, or a folder of *.pub.", valueName: "file"))
    var keys: String

    @Flag(help: "Print as JSON.")
    var json = false

    func run() throws {
        let trusted: [TrustedKey]
        do { trusted = try TrustedKey.load(keys) } catch { throw Failure(.failed, error.description) }
        guard !trusted.isEmpty else { throw Failure(.notFound, "\(keys) holds no public key (*.pub)") }
        var bad = 0
        for path in packages {
            try Package.requireFile(path)
            let (reason, signer) = try judge(path, trusted)
            if reason != nil { bad += 1 }
            if json {
                Output.json(
                    .object([
                        ("package", .string(path)), ("good", .bool(reason == nil)),
                        ("key", .string(signer?.number.description)), ("reason", .string(reason)),
                    ]))
            } else {
                Output.line("\(path): " + (reason ?? "good, signed with \(signer?.number.description ?? "?")"))
            }
        }
        if bad > 0 { throw Failure(.failed, "\(bad) of \(packages.count) packages must not be installed") }
    }

    private func judge(_ path: String, _ trusted: [TrustedKey]) throws -> (reason: String?, signer: TrustedKey?) {
        guard let signed = try Package.signed(path) else { return ("it is not signed (no \(path).manifest)", nil) }
        do {
            let signer = try signed.verify(trusted)
            if let difference = try signed.manifest.difference(to: path) { return (difference.description, nil) }
            let content = try PackageManifest(file: path, allowsDowngrade: signed.manifest.allowsDowngrade)
            guard content == signed.manifest else { return ("its name says something else than its manifest", nil) }
            return (nil, signer)
        } catch let error as SignifyError {
            return (error.description, nil)
        } catch let error as ManifestMakingError {
            return (error.description, nil)
        }
    }
}
