internal import SwiftASN1
internal import X509

/// The names and addresses under which clients reach a server: what its certificate is for.
public struct ServerNames: Equatable, Sendable {
    /// Most names and addresses in one certificate.
    public static let most = 64

    /// Host names, `localhost` first.
    public let hosts: [String]
    /// Addresses, loopback first.
    public let addresses: [IPAddress]

    /// Sorts what it is given into names and addresses and adds `localhost`, 127.0.0.1 and ::1. The first host name given
    /// becomes the name of the certificate.
    ///
    /// - Throws: ``ServerNameError`` for text that is neither an address nor a host name, or when there are too many.
    public init(_ texts: [String]) throws(ServerNameError) {
        var hosts = ["localhost"]
        var addresses = ["127.0.0.1", "::1"].compactMap { IPAddress($0) }
        for text in texts {
            if let address = IPAddress(text) {
                if !addresses.contains(address) { addresses.append(address) }
            } else if Self.isHostName(text) {
                let name = text.lowercased()
                if !hosts.contains(name) { hosts.append(name) }
            } else {
                throw .notAName(text)
            }
        }
        guard hosts.count + addresses.count <= Self.most else { throw .tooMany }
        self.hosts = hosts
        self.addresses = addresses
    }

    /// The name in the subject of the certificate, at most 64 characters (RFC 5280, appendix A.1).
    var commonName: String { hosts[hosts.count > 1 ? 1 : 0].prefix(bytes: 64) }

    var generalNames: [GeneralName] {
        hosts.map { .dnsName($0) } + addresses.map { .ipAddress(ASN1OctetString(contentBytes: $0.bytes[...])) }
    }

    static func text(_ name: GeneralName) -> String? {
        switch name {
        case .dnsName(let host): host
        case .ipAddress(let octets): IPAddress(bytes: Array(octets.bytes))?.description
        default: nil
        }
    }

    /// Letters, digits, dashes and underscores in labels of 1…63 characters, 253 in all; `*.` may lead.
    private static func isHostName(_ text: String) -> Bool {
        guard text.utf8.count <= 253 else { return false }
        var labels = text.split(separator: ".", omittingEmptySubsequences: false)
        if labels.count > 2, labels[0] == "*" { labels.removeFirst() }
        guard !labels.isEmpty else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.unicodeScalars.allSatisfy {
                    $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "-" || $0 == "_")
                }
        } && !(labels.last?.allSatisfy(\.isNumber) ?? true)
    }
}

/// Why a server cannot have a name.
public enum ServerNameError: Error, Equatable, CustomStringConvertible {
    /// Neither an address nor a host name.
    case notAName(String)
    /// More than ``ServerNames/most``.
    case tooMany

    /// For people.
    public var description: String {
        switch self {
        case .notAName(let text): "\"\(text)\" is neither a host name nor an IP address"
        case .tooMany: "a certificate can be for at most \(ServerNames.most) names and addresses"
        }
    }
}
