/// What a peer did that ends its connection. Each case names the rule of wire-protocol.md that it broke.
public enum ProtocolViolation: Error, Equatable, Sendable {
    /// The server's first byte over TLS was not 0x5B (1.3).
    case tlsMark(UInt8)
    /// The handshake's client type is neither 0x12 nor 0x13 (1.3).
    case clientType(UInt8)
    /// The network name in the handshake has a length outside 1…24 (1.3).
    case handshakeNameLength(UInt8)
    /// The handshake was not complete within its time limit (section 11, point 12).
    case handshakeTimeout
    /// A frame does not have the number that follows the one before (2.3).
    case frameNumber(expected: UInt8, found: UInt8)
    /// A frame is longer than the size this end announced (2.2).
    case frameTooLong(length: Int, limit: Int)
    /// The extra flags byte is announced but zero (2.2).
    case emptyExtraFlags
    /// A serial frame's checksum does not match (2.4).
    case checksum
    /// More bytes acknowledged than were sent (2.7).
    case acknowledgedTooMuch
    /// Nothing was received for the silence limit (2.8).
    case silence
    /// No authentication within the time limit (section 11, point 12).
    case authenticationTimeout
    /// Something else than an authentication came before it (section 11, point 6).
    case beforeAuthentication
    /// A second authentication (section 11, point 8).
    case repeatedAuthentication
    /// A message ends before its fields do (8.2).
    case truncatedMessage
    /// A name or password is longer than the protocol allows (section 0).
    case nameTooLong
    /// A data frame starts behind the end of its block (5.2).
    case addressPastEnd(address: UInt32, size: Int)
    /// A literal run is longer than its payload (5.3).
    case compression
    /// A remove request names no id or more than 16 (7.1).
    case removeCount(UInt32)
    /// A block is larger or there are more blocks than this node accepts (section 11, point 11).
    case tooMuchMemory
}

#if !hasFeature(Embedded)
extension ProtocolViolation: CustomStringConvertible {
    /// One sentence for a log.
    public var description: String {
        switch self {
        case .tlsMark(let byte): "first byte after the TLS handshake is \(byte), expected 91: not an IOCOM server"
        case .clientType(let byte):
            "handshake type \(byte) is unknown: not an IOCOM client, or TLS sent to a plain port"
        case .handshakeNameLength(let length): "network name of \(length) bytes in the handshake, allowed are 1 to 24"
        case .handshakeTimeout: "the handshake was not completed in time"
        case .frameNumber(let expected, let found): "frame number \(found) where \(expected) was due"
        case .frameTooLong(let length, let limit): "frame of \(length) bytes, limit \(limit)"
        case .emptyExtraFlags: "frame with an empty extra flags byte"
        case .checksum: "frame with a wrong checksum"
        case .acknowledgedTooMuch: "more bytes were acknowledged than were sent"
        case .silence: "nothing was received for too long"
        case .authenticationTimeout: "no authentication in time"
        case .beforeAuthentication: "data or block info before the authentication"
        case .repeatedAuthentication: "a second authentication on the same connection"
        case .truncatedMessage: "a system message ends before its fields do"
        case .nameTooLong: "a name in a message is too long"
        case .addressPastEnd(let address, let size): "data at address \(address) of a block of \(size) bytes"
        case .compression: "a compressed payload is damaged"
        case .removeCount(let count): "remove request for \(count) blocks, allowed are 1 to 16"
        case .tooMuchMemory: "more or larger memory blocks than this node accepts"
        }
    }
}
#endif
