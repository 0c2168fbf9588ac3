public import ByteTools
import IOCOM
import Synchronization

/// Collects a package in a file, for installers that hand it over as a whole.
public final class PackageSpool: Sendable {
    /// Where the file is.
    public let path: String
    private let limit: Int
    private let file = Mutex<(file: File, size: Int)?>(nil)

    /// A file at `path` for packages of up to `limit` bytes.
    public init(path: String, limit: Int) {
        self.path = path
        self.limit = limit
    }

    /// Opens the file; what was in it is dropped.
    public func start() throws(InstallError) {
        cancel()
        do throws(StorageFailure) {
            let made = try File(path, .create)
            file.withLock { $0 = (made, 0) }
        } catch { throw InstallError(storing: error) }
    }

    /// Writes the next bytes.
    public func append(_ bytes: [UInt8]) throws(InstallError) {
        try file.withLock { open throws(InstallError) in
            guard let (file, size) = open else { throw InstallError(.failed, "no installation was started") }
            guard size + bytes.count <= limit else {
                throw InstallError(.discFull, "the package is larger than \(limit) bytes")
            }
            do throws(StorageFailure) { try file.write(at: size, bytes) } catch { throw InstallError(storing: error) }
            open = (file, size + bytes.count)
        }
    }

    /// The file and its size; throws when nothing was started.
    public func collected() throws(InstallError) -> (file: File, size: Int) {
        guard let open = file.withLock({ $0 }) else { throw InstallError(.failed, "no installation was started") }
        return open
    }

    /// Drops the package.
    public func cancel() {
        file.withLock { $0 = nil }
        let (folder, name) = Folder.split(path)
        try? Folder.remove(name, in: folder)
    }
}

extension InstallError {
    /// A package that could not be stored.
    public init(storing failure: StorageFailure) {
        self.init(failure.isFull ? .discFull : .writeFailed, failure.description)
    }
}
