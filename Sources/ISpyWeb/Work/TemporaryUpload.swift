import ByteTools
import Glibc
import Hummingbird
import NIOCore
import NIOPosix

/// A file that came from a browser, in a folder that only this user may enter.
struct TemporaryUpload: Sendable {
    /// Bytes of the largest upload.
    static let largest = 64 << 20
    /// An upload may take so long, s.
    private static let longestTime = 900

    let path: String
    let size: Int

    /// Receives a body piece by piece; nothing is kept in memory. Ends what is too large or too slow.
    static func receive(_ body: RequestBody, in folder: String) async throws -> TemporaryUpload {
        let (file, path) = try make(in: folder)
        var size = 0
        let end = ContinuousClock.now + .seconds(longestTime)
        do {
            for try await piece in body {
                guard size + piece.readableBytes <= largest else {
                    throw WebError(.tooLarge, "the file is larger than \(largest) bytes")
                }
                guard ContinuousClock.now < end else {
                    throw WebError(.failed, "the upload took longer than \(longestTime) s")
                }
                let offset = size
                size += piece.readableBytes
                try await NIOThreadPool.singleton.runIfActive {
                    try file.write(at: offset, Array(piece.readableBytesView))
                }
            }
            return TemporaryUpload(path: path, size: size)
        } catch {
            unlink(path)
            if let failure = error as? StorageFailure { throw WebError(.failed, "the file can't be kept: \(failure)") }
            throw error
        }
    }

    private static func make(in folder: String) throws -> (File, String) {
        do {
            try Folder.makePrivate(folder)
            let path = "\(folder)/\(Secret.text())"
            return (try File(path, .create), path)
        } catch { throw WebError(.failed, "the file can't be kept: \(error)") }
    }

    func remove() { unlink(path) }

    /// Removes what a run left that was ended in the middle of an upload.
    static func clear(_ folder: String) {
        guard Folder.exists(folder), let left = try? Folder.names(in: folder, limit: 10_000) else { return }
        for name in left.names { try? Folder.remove(name, in: folder) }
    }
}
