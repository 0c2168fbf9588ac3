import ByteTools
import Crypto

/// SHA-256 of the first `size` bytes of a file, read piece by piece.
func fileDigest(_ file: File, _ size: Int) throws(StorageFailure) -> [UInt8] {
    var hash = SHA256()
    try file.forEachPiece(of: size) { piece in piece.withUnsafeBytes { hash.update(bufferPointer: $0) } }
    return Array(hash.finalize())
}
