import ByteTools
import Glibc

/// Where a running frank answers its owner: a socket in its data folder.
///
/// An address of a socket holds about 100 bytes. Where the folder's path is longer, the folder is opened and named by its
/// descriptor, so a value has to live as long as its path is used.
final class ControlSocket: Sendable {
    static let name = "control.sock"
    /// What an address takes, with the zero byte at its end.
    private static let mostBytes = MemoryLayout.size(ofValue: sockaddr_un().sun_path)

    /// For the system.
    let path: String
    private let descriptor: Int32

    init(folder: String) throws(StorageFailure) {
        let plain = "\(folder)/\(Self.name)"
        if plain.utf8.count < Self.mostBytes {
            path = plain
            descriptor = -1
            return
        }
        let opened = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else {
            throw StorageFailure("can't open \(folder): \(String(cString: strerror(errno)))", systemError: errno)
        }
        descriptor = opened
        path = "/proc/self/fd/\(opened)/\(Self.name)"
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Takes the name away.
    func remove() { unlink(path) }
}
