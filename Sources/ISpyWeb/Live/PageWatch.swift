import IOCOM
import PackedJSON
import Synchronization

/// What a page looks at besides the lists.
struct PageWatch: Sendable, Equatable {
    var connection = ""
    var device: DevicePath?
    var signals = false
    /// A part of a memory block.
    var memory: (block: BlockName, range: Range<Int>)?
    var pictures: [String] = []

    /// Bytes of a block that a page can see at once, and pictures.
    private static let mostBytes = 4096
    private static let mostPictures = 8

    init() {}

    init(_ json: JSON) throws {
        guard json.members != nil else { throw WebError(.usage, "an object is needed") }
        guard let text = json["device"]?.text else { return }
        guard let device = DevicePath(text) else { throw WebError(.usage, "'\(text)' is not a device") }
        self.device = device
        connection = json["connection"]?.text ?? ""
        signals = json["signals"]?.flag ?? false
        if let part = json["memory"], part != .null {
            guard let block = part["name"]?.text.flatMap({ BlockName($0) }) else {
                throw WebError(.usage, "'memory' needs the name of a block")
            }
            memory = (block, try Self.range(part["offset"]?.int, part["count"]?.int))
        }
        pictures = (json["pictures"]?.elements ?? []).prefix(Self.mostPictures).compactMap(\.text)
    }

    /// A part of a block as it is asked for.
    static func range(_ offset: Int64?, _ count: Int64?) throws -> Range<Int> {
        let offset = offset ?? 0
        let count = count ?? 1024
        guard (0...Int64(1 << 30)).contains(offset), (1...Int64(mostBytes)).contains(count) else {
            throw WebError(.usage, "an offset of 0 or more and a count of 1 to \(mostBytes) are needed")
        }
        return Int(offset)..<Int(offset + count)
    }

    static func == (one: PageWatch, other: PageWatch) -> Bool {
        one.connection == other.connection && one.device == other.device && one.signals == other.signals
            && one.memory?.block == other.memory?.block && one.memory?.range == other.memory?.range
            && one.pictures == other.pictures
    }
}

/// The pages that are open, by the name each gave itself.
final class Pages: Sendable {
    /// Pages at once.
    private static let most = 64

    private let open = Mutex<[String: AsyncStream<PageWatch>.Continuation]>([:])

    /// What a new page watches, as it says; nil when there are too many.
    func begin(_ page: String) throws -> AsyncStream<PageWatch> {
        guard (8...64).contains(page.utf8.count),
            page.utf8.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"):
                    true
                default: false
                }
            })
        else { throw WebError(.usage, "a page names itself with 8 to 64 letters and digits") }
        let (stream, continuation) = AsyncStream.makeStream(of: PageWatch.self, bufferingPolicy: .bufferingNewest(1))
        let before = try open.withLock { pages in
            guard pages.count < Self.most || pages[page] != nil else {
                throw WebError(.busy, "\(Self.most) pages are open already")
            }
            return pages.updateValue(continuation, forKey: page)
        }
        // The same page after a lost connection.
        before?.finish()
        return stream
    }

    func watch(_ page: String, _ watch: PageWatch) throws {
        guard let continuation = open.withLock({ $0[page] }) else {
            throw WebError(.notFound, "the page \(page) has no event stream")
        }
        continuation.yield(watch)
    }
}
