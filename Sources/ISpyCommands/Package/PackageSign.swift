import ArgumentParser
import ByteTools
import Programs
import TerminalUI

/// `ispy package sign PACKAGE… --key FILE`
struct PackageSign: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign", abstract: "Signs packages: writes PACKAGE.manifest beside each.",
        discussion: "'signify-openbsd -V -e -p KEY.pub -x PACKAGE.manifest -m -' verifies it too.")

    @Argument(help: ArgumentHelp("Package files.", valueName: "package"))
    var packages: [String]

    @Option(help: ArgumentHelp("Secret key that 'ispy package keygen' made.", valueName: "file"))
    var key: String

    @Flag(help: "Permit that devices go back to this version from a newer one.")
    var allowDowngrade = false

    @Flag(help: "Print as JSON.")
    var json = false

    func run() throws {
        let signing = try readKey()
        for path in packages {
            try Package.requireFile(path)
            let manifest: PackageManifest
            do { manifest = try PackageManifest(file: path, allowsDowngrade: allowDowngrade) } catch {
                throw Failure(.failed, "\(path) was not signed: \(error)")
            }
            let target = SignedManifest.path(of: path)
            do {
                let base = key.split(separator: "/").last.map(String.init) ?? key
                let comment = "verify with " + (base.hasSuffix(".sec") ? base.dropLast(4) + ".pub" : base[...])
                let signed = try signing.sign(manifest, comment: comment)
                try ReplacementFile.write(target, Array(signed.text.utf8), isPublic: true)
            } catch { throw Failure(.failed, "\(path) was not signed: \(error)") }
            if json {
                Output.json(
                    .object(
                        [
                            ("package", .string(path)), ("manifest", .string(target)),
                            ("key", .string(signing.trusted.number.description)),
                        ] + Package.fields(manifest)))
            } else {
                Output.line(
                    "\(target): \(manifest.application) \(manifest.version) signed with \(signing.trusted.number)")
            }
        }
    }

    private func readKey() throws -> SigningKey {
        do throws(StorageFailure) {
            let file = try File(key, .read)
            guard try file.mode & 0o077 == 0 else {
                throw StorageFailure("others on this machine have access to \(key): run chmod 600 on it")
            }
            let size = min(try file.byteCount, TrustedKey.largestFile + 1)
            let bytes = try file.read(at: 0, count: size)
            do { return try SigningKey(parsing: bytes) } catch { throw StorageFailure("\(key): \(error)") }
        } catch { throw Failure(error.isNoSuchFile ? .notFound : .failed, error.description) }
    }
}
