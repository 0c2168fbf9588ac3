import Bricks
import IODevice

/// What a camera shows that is none: colour bars over a gray ramp, the time since the start, and a dot that goes round once
/// in eight seconds. A pure function of the time.
struct TestPattern: PictureSource {
    /// As large as fits uncompressed into the buffer of the original's candy.
    static let width = 160
    static let height = 120

    func picture(timestamp: UInt64) -> Brick? {
        try? Brick(
            width: Self.width, height: Self.height, timestamp: timestamp,
            data: Self.pixels(milliseconds: timestamp / 1000))
    }

    private typealias Colour = (red: UInt8, green: UInt8, blue: UInt8)

    private static let bars: [Colour] = [
        (235, 235, 235), (235, 235, 16), (16, 235, 235), (16, 235, 16), (235, 16, 235), (235, 16, 16), (16, 16, 235),
        (16, 16, 16),
    ]
    /// Rows of the bars; below are the ramp and the clock.
    private static let barRows = 80
    private static let rampRows = 10
    private static let scale = 4
    private static let dotSize = 8

    private static func pixels(milliseconds: UInt64) -> [UInt8] {
        let text = Array(clock(milliseconds: milliseconds))
        let textWidth = text.count * (Digits.width + 1) * scale
        let left = (width - textWidth) / 2
        let top = barRows + rampRows + (height - barRows - rampRows - Digits.height * scale) / 2
        let dot = dotPlace(milliseconds: milliseconds)
        return [UInt8](unsafeUninitializedCapacity: width * height * 3) { buffer, filled in
            for y in 0..<height {
                for x in 0..<width {
                    var colour: Colour
                    switch y {
                    case ..<barRows: colour = bars[x * bars.count / width]
                    case ..<(barRows + rampRows):
                        let gray = UInt8(truncatingIfNeeded: x * 255 / (width - 1))
                        colour = (gray, gray, gray)
                    default:
                        colour = hasInk(text, x: x - left, y: y - top) ? (235, 235, 235) : (24, 32, 48)
                    }
                    if (0..<dotSize).contains(x - dot.x), (0..<dotSize).contains(y - dot.y) { colour = (255, 128, 0) }
                    buffer[filled] = colour.red
                    buffer[filled + 1] = colour.green
                    buffer[filled + 2] = colour.blue
                    filled += 3
                }
            }
        }
    }

    private static func hasInk(_ text: [Character], x: Int, y: Int) -> Bool {
        guard x >= 0, y >= 0 else { return false }
        let place = x / scale / (Digits.width + 1)
        guard place < text.count else { return false }
        return Digits.hasPoint(text[place], x: x / scale % (Digits.width + 1), y: y / scale)
    }

    /// Hours, minutes, seconds and tenths, such as `0:02:07.5`.
    static func clock(milliseconds: UInt64) -> String {
        let seconds = milliseconds / 1000
        func two(_ number: UInt64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(seconds / 3600 % 10):\(two(seconds / 60 % 60)):\(two(seconds % 60)).\(milliseconds / 100 % 10)"
    }

    /// Upper left corner of the dot, which runs along the edge of the bars.
    private static func dotPlace(milliseconds: UInt64) -> (x: Int, y: Int) {
        let right = width - dotSize
        let bottom = barRows - dotSize
        let way = 2 * (right + bottom)
        let at = Int(milliseconds % 8_000) * way / 8_000
        if at < right { return (at, 0) }
        if at < right + bottom { return (right, at - right) }
        if at < 2 * right + bottom { return (2 * right + bottom - at, bottom) }
        return (0, way - at)
    }
}
