import ByteTools
import TerminalUI

/// Replaces a file so that a crash leaves the old or the new one.
func replaceFile(_ path: String, with bytes: [UInt8]) throws {
    do { try ReplacementFile.write(path, bytes) } catch {
        throw CandyError(error.isNoSuchFile ? .notFound : .failed, error.description)
    }
}
