import ArgumentParser
import ByteTools
import Programs
import TerminalUI

/// `ispy package keygen NAME`
struct PackageKeygen: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen", abstract: "Makes a pair of keys: NAME.sec signs packages, NAME.pub is for devices.",
        discussion: "The files are those of signify; 'signify-openbsd -G -n' makes such keys too.")

    @Argument(help: ArgumentHelp("Files to make, without extension.", valueName: "name"))
    var name: String

    @Flag(help: "Print as JSON.")
    var json = false

    func run() throws {
        let secret = name + ".sec"
        let shown = name + ".pub"
        for path in [secret, shown] where Folder.entry(path) != nil {
            throw Failure(
                .failed, "\(path) exists: a key that packages were signed with is not replaced; take another name")
        }
        let key = SigningKey.generate()
        let base = name.split(separator: "/").last.map(String.init) ?? name
        do throws(StorageFailure) {
            try ReplacementFile.write(secret, Array(key.text(comment: "\(base) secret key").utf8))
            try ReplacementFile.write(
                shown, Array(key.trusted.text(comment: "\(base) public key").utf8), isPublic: true)
        } catch { throw Failure(.failed, error.description) }
        if json {
            return Output.json(
                .object([
                    ("secret", .string(secret)), ("public", .string(shown)),
                    ("key", .string(key.trusted.number.description)),
                ]))
        }
        Output.line("key \(key.trusted.number)")
        Output.line("  \(secret)  signs packages: keep it to yourself, and a copy of it in a safe place")
        Output.line("  \(shown)  for devices: candy run --package-keys \(shown)")
    }
}
