import ByteTools
import IOCOMTransport
import ServerData
import TerminalUI

/// A file with the authorities that devices are to trust, checked before any device gets it.
struct TrustFile {
    /// What a device keeps in block 9: the PEM text with the zero byte that devices of the original need at its end.
    let block: [UInt8]
    let certificates: [CertificateFile]

    /// Reads and checks the form: PEM, authorities only.
    init(_ path: String) throws {
        let text = try Self.text(path)
        do throws(CertificateError) { certificates = try CertificateFile.all(pem: text) } catch {
            throw Failure(.failed, "\(path) is not given to any device: \(error)")
        }
        if let other = certificates.first(where: { !$0.isAuthority }) {
            throw Failure(
                .failed,
                "\(path) is not given to any device: \(other.subject) in it is no authority; take the trust.pem of the server"
            )
        }
        // Without what else the file may hold: a device has little room, and a text that it can't read locks it out.
        block = Array(certificates.map(\.pem).joined().utf8) + [0]
    }

    /// Whole text of a small file.
    static func text(_ path: String) throws -> String {
        do throws(StorageFailure) {
            let file = try File(path, .read)
            let count = try file.byteCount
            guard count <= CertificateFile.mostBytes else {
                throw StorageFailure("\(path) is longer than \(CertificateFile.mostBytes) bytes")
            }
            return String(decoding: try file.read(at: 0, count: count), as: UTF8.self)
        } catch { throw Failure(error.isNoSuchFile ? .notFound : .failed, error.description) }
    }

    /// Throws when a device that trusted this could not connect to the server as it is now.
    func check(_ look: CertificateLook, path: String) async throws {
        let trust: CertificateTrust
        do { trust = try CertificateTrust(pem: certificates.map(\.pem).joined()) } catch {
            throw Failure(.failed, "\(path) is not given to any device: \(error)")
        }
        switch await look.judge(trust, host: nil) {
        case .trusted, .outOfDate: return
        case .otherHost, .untrusted, .unreadable:
            throw Failure(
                .failed,
                "\(path) is not given to any device: it lacks the authority that signed the present certificate of \(look.address) (\(look.chain.first?.issuer ?? "unknown")), so the devices could not come back; take the present trust.pem of that server"
            )
        }
    }

    /// The certificates in a device's block 9; nil when it holds something else.
    static func certificates(inBlock bytes: [UInt8]) -> [CertificateFile]? {
        try? CertificateFile.all(pem: String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
    }
}
