/// The last lines of what a tool says, for people: what can't be shown is left out. A pure value.
struct SaidText: Equatable {
    /// Lines that are kept.
    static let mostLines = 12
    /// Bytes of ``text``.
    static let longest = 1_000

    private enum Place { case start, inside, rewrite }

    private var kept: [[UInt8]] = []
    private var place = Place.start

    /// Nothing was said.
    var isEmpty: Bool { kept.isEmpty }

    /// Takes what was said next; it may end in the middle of a line. A carriage return begins a line again, as tools show
    /// progress.
    mutating func append(_ bytes: ArraySlice<UInt8>) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\n"): place = .start
            case UInt8(ascii: "\r"): if place == .inside { place = .rewrite }
            case 0x20..<0x7F:
                if place == .start {
                    kept.append([])
                    if kept.count > Self.mostLines { kept.removeFirst() }
                }
                let last = kept.count - 1
                if place == .rewrite { kept[last] = [] }
                place = .inside
                if kept[last].count < Self.longest { kept[last].append(byte) }
            default: break
            }
        }
    }

    /// All lines as one text; where they are too long, the last of them.
    var text: String { Self.text(kept[...]) }

    /// The same without a line that may become longer.
    var finishedText: String { Self.text(place == .start ? kept[...] : kept.dropLast()) }

    private static func text(_ lines: ArraySlice<[UInt8]>) -> String {
        var text: [UInt8] = []
        for line in lines.reversed() {
            let longer = text.isEmpty ? line : line + [UInt8(ascii: "\n")] + text
            guard longer.count <= longest else { break }
            text = longer
        }
        return String(decoding: text, as: UTF8.self)
    }
}
