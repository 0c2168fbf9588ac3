import Bricks
import ByteTools
import Hummingbird
import NIOCore
import PackedJSON

/// A picture as a browser shows it.
enum PictureText {
    /// Brightness of the first row, for the plot of a line camera.
    static func line(_ picture: Brick) -> JSON? {
        guard case .none = picture.compression else { return nil }
        let step = picture.format.bytesPerPixel
        return [
            "values": .array(
                (0..<picture.width).map { x in
                    let pixel = picture.data[(x * step)..<(x * step + step)]
                    let first = Int64(pixel.first ?? 0)
                    switch picture.format {
                    case .grayscale8: return .integer(first)
                    // The upper byte comes last.
                    case .grayscale16: return .integer(Int64(pixel.last ?? 0))
                    case .rgb24, .rgba32:
                        return .integer(pixel.prefix(3).reduce(0) { $0 + Int64($1) } / 3)
                    }
                })
        ]
    }

    static func response(_ picture: Brick) -> Response {
        var type = "image/jpeg"
        var bytes = picture.data
        if case .none = picture.compression {
            type = "image/bmp"
            bytes = bitmap(picture)
        }
        return Response(
            status: .ok, headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// A Windows bitmap of 24 bits a pixel: every browser shows it, and making one is hardly more than copying.
    static func bitmap(_ picture: Brick) -> [UInt8] {
        let headerSize = 54
        let rowSize = (picture.width * 3 + 3) / 4 * 4
        var bytes: [UInt8] = []
        bytes.reserveCapacity(headerSize + rowSize * picture.height)
        func add(_ number: Int, _ count: Int) {
            for place in 0..<count { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * place))) }
        }
        // File header, then BITMAPINFOHEADER; a negative height puts the first row on top.
        bytes += Array("BM".utf8)
        add(headerSize + rowSize * picture.height, 4)
        add(0, 4)
        add(headerSize, 4)
        add(40, 4)
        add(picture.width, 4)
        add(-picture.height, 4)
        add(1, 2)
        add(24, 2)
        for _ in 0..<6 { add(0, 4) }
        let step = picture.format.bytesPerPixel
        picture.data.withUnsafeBufferPointer { data in
            for y in 0..<picture.height {
                let end = bytes.count + rowSize
                for x in 0..<picture.width {
                    let at = (y * picture.width + x) * step
                    switch picture.format {
                    case .grayscale8: for _ in 0..<3 { bytes.append(data[at]) }
                    case .grayscale16: for _ in 0..<3 { bytes.append(data[at + 1]) }
                    case .rgb24, .rgba32:
                        bytes.append(data[at + 2])
                        bytes.append(data[at + 1])
                        bytes.append(data[at])
                    }
                }
                while bytes.count < end { bytes.append(0) }
            }
        }
        return bytes
    }
}
