import Foundation
import Synchronization
import UpdateTesting

/// Real program images, made by scripts/make-esp-image (which uses the public esptool) and kept for the whole run.
enum Images {
    /// What an image shall be; the defaults are those of the script.
    struct Wish: Hashable {
        var version: String
        var chip = "esp32"
        var project = "candy"
        var size = 60_000
        var selfTest = "pass"
        var connect = "normal"
        var boot = "normal"
    }

    private static let folder = Result { try TemporaryFolder() }
    private static let made = Mutex<[Wish: String]>([:])

    /// Path of an image.
    static func make(_ wish: Wish) async throws -> String {
        if let path = made.withLock({ $0[wish] }) { return path }
        let folder = try folder.get().path
        let path = folder + "/\(wish.project)-\(wish.version)-\(UUID().uuidString.prefix(8)).bin"
        let script = try RunningProgram(
            Place.root + "/scripts/make-esp-image",
            [
                "--chip", wish.chip, "--project", wish.project, "--version", wish.version, "--size", "\(wish.size)",
                "--self-test", wish.selfTest, "--connect", wish.connect, "--boot", wish.boot, path,
            ], folder: folder)
        let result = try await script.end(seconds: 600)
        guard result.status == 0 else { throw Unexpected("scripts/make-esp-image: \(result)") }
        made.withLock { $0[wish] = path }
        return path
    }

    /// Path of a well-behaved image.
    static func make(_ version: String, size: Int = 60_000) async throws -> String {
        try await make(Wish(version: version, size: size))
    }

    /// The bytes of a file.
    static func bytes(_ path: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else { throw Unexpected("\(path) is not there") }
        return [UInt8](data)
    }
}
