/// Why bytes are not an announcement (application-layer.md 9.1). Such messages are ignored.
public enum AnnouncementError: Error, Equatable, CustomStringConvertible {
    /// Shorter than the header.
    case truncated
    /// The mark 0xB3 or the header's size is not there: something else was sent to this port.
    case notAnnouncement
    /// The length of the text in the header is 0, too large, or not what came.
    case textLength(said: Int, came: Int)
    /// The checksum is wrong.
    case checksum
    /// A byte of the text is not printable ASCII, or the NUL at its end is missing.
    case notText
    /// An item is not `marks:protocol:network`.
    case item
    /// An unknown mark, or one that is there twice.
    case mark(UInt8)
    /// A mark without a port: neither its own nor one in the header; or one that is not 1…65535.
    case port
    /// A network's name is missing or longer than 23 bytes.
    case networkName
    /// There is more to announce than one message holds.
    case tooLong

    /// For people.
    public var description: String {
        switch self {
        case .truncated: "the message is shorter than its header"
        case .notAnnouncement: "the message is not an announcement"
        case .textLength(let said, let came): "the text has \(came) bytes, the header says \(said)"
        case .checksum: "the checksum is wrong"
        case .notText: "the text holds other than printable characters"
        case .item: "an item is not marks:protocol:network"
        case .mark(let mark): "the mark \(mark) is unknown or there twice"
        case .port: "an end point has no port"
        case .networkName: "a network has no name, or one that is too long"
        case .tooLong: "the text is longer than \(Announcement.longestText) bytes"
        }
    }
}
