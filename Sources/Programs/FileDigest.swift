import ByteTools
import Crypto

/// SHA-256 of the first `size` bytes of a file, read piece by piece.
func fileDigest(_ file: File, _ size: Int) throws(StorageFailure) -> [UInt8] {
    var hash = SHA256()
    var offset = 0
    while offset < size {
        let chunk = try file.read(at: offset, count: min(1 << 16, size - offset))
        chunk.withUnsafeBytes { hash.update(bufferPointer: $0) }
        offset += chunk.count
    }
    return Array(hash.finalize())
}
