public import FirmwareStorage
import FixedMemory

/// What the test program needs of a board.
public protocol HelloBoard {
    /// The kind of its flash.
    associatedtype Area: FlashArea
    static func read(into out: UnsafeMutableRawBufferPointer) -> Int
    static func write(_ bytes: UnsafeRawBufferPointer) -> Int
    static func idle()
    static func feedWatchdog()
    static var milliseconds: Int64 { get }
    static func reset() -> Never
    /// Writes down that the program has proved itself.
    static func confirm()
    /// Flash that the program may do with what it wants.
    static var blocks: Area { get }
    /// Slot, 1 on trial, cause of the last reset, starts since the power came.
    static var report: (UInt32, UInt32, UInt32, UInt32) { get }
}

/// A program that shows whether the drivers of a board work. It obeys commands of one letter and numbers of four bytes,
/// little endian:
///
/// - `e` count, bytes: sends the bytes back
/// - `c`: sends the number of bytes sent back up to now, and the milliseconds since the start
/// - `b`: sends slot, trial, cause of the last reset, number of starts
/// - `x` offset: erases a unit of flash; sends a byte, 0 for good
/// - `w` offset, count, bytes (at most 256): writes to flash; sends a byte, 0 for good
/// - `r` offset, count (at most 256): sends the bytes of the flash
/// - `m`: takes and gives back memory of all sizes a thousand times; sends requests, refused, in use, peak, deepest stack
/// - `v`: writes down that the program has proved itself; sends 0
/// - `h` hangs, `t` does what is forbidden, `o` lets the stack overflow, `z` restarts
public struct Hello<Board: HelloBoard> {
    private var buffer = InlineArray<256, UInt8>(repeating: 0)
    private var echoed: UInt32 = 0

    /// A program.
    public init() {}

    /// Obeys, for ever.
    public mutating func run() -> Never {
        while true {
            switch byte() {
            case UInt8(ascii: "e"): echo(word())
            case UInt8(ascii: "c"):
                send(echoed)
                send(UInt32(truncatingIfNeeded: Board.milliseconds))
            case UInt8(ascii: "b"):
                let report = Board.report
                send(report.0)
                send(report.1)
                send(report.2)
                send(report.3)
            case UInt8(ascii: "x"): erase(Int(word()))
            case UInt8(ascii: "w"): write(Int(word()), Int(min(word(), 256)))
            case UInt8(ascii: "r"): read(Int(word()), Int(min(word(), 256)))
            case UInt8(ascii: "m"): useMemory()
            case UInt8(ascii: "v"):
                Board.confirm()
                send(0, 1)
            case UInt8(ascii: "h"): while true { Board.idle() }
            case UInt8(ascii: "t"): fatalError()
            case UInt8(ascii: "o"): send(overflow(1), 1)
            case UInt8(ascii: "z"): Board.reset()
            default: break
            }
        }
    }

    // MARK: The line

    private mutating func byte() -> UInt8 {
        fill(1)
        return buffer[0]
    }

    private mutating func word() -> UInt32 {
        fill(4)
        return UInt32(buffer[0]) | UInt32(buffer[1]) << 8 | UInt32(buffer[2]) << 16 | UInt32(buffer[3]) << 24
    }

    /// Waits for the next `count` bytes.
    private mutating func fill(_ count: Int) {
        var got = 0
        while got < count {
            Board.feedWatchdog()
            var span = buffer.mutableSpan
            let more = span.withUnsafeMutableBytes {
                Board.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[got..<count]))
            }
            got += more
            if more == 0 { Board.idle() }
        }
    }

    private func send(_ value: UInt32, _ count: Int = 4) {
        withUnsafeBytes(of: value.littleEndian) { send(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }

    private func send(_ bytes: UnsafeRawBufferPointer) {
        var sent = 0
        while sent < bytes.count {
            let more = Board.write(UnsafeRawBufferPointer(rebasing: bytes[sent...]))
            sent += more
            if more == 0 { Board.idle() }
        }
    }

    private mutating func echo(_ count: UInt32) {
        var left = count
        while left > 0 {
            Board.feedWatchdog()
            var span = buffer.mutableSpan
            let more = span.withUnsafeMutableBytes {
                Board.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<Int(min(left, 256))]))
            }
            buffer.span.withUnsafeBytes { send(UnsafeRawBufferPointer(rebasing: $0[..<more])) }
            left -= UInt32(truncatingIfNeeded: more)
            echoed &+= UInt32(truncatingIfNeeded: more)
            if more == 0 { Board.idle() }
        }
    }

    // MARK: Flash and memory

    private func erase(_ offset: Int) {
        var area = Board.blocks
        do throws(FlashFault) {
            try area.erase(unitAt: offset)
            send(0, 1)
        } catch { send(1, 1) }
    }

    private mutating func write(_ offset: Int, _ count: Int) {
        fill(count)
        var area = Board.blocks
        var fault: FlashFault?
        buffer.span.withUnsafeBytes { bytes in
            do throws(FlashFault) {
                try area.write(at: offset, UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            } catch {
                fault = error
            }
        }
        send(fault == nil ? 0 : 1, 1)
    }

    private mutating func read(_ offset: Int, _ count: Int) {
        let area = Board.blocks
        var span = buffer.mutableSpan
        span.withUnsafeMutableBytes { out in
            let out = UnsafeMutableRawBufferPointer(rebasing: out[..<count])
            // Zeros stand for what can't be read.
            do throws(FlashFault) { try area.read(at: offset, into: out) } catch { for i in 0..<count { out[i] = 0 } }
        }
        buffer.span.withUnsafeBytes { send(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }

    private func useMemory() {
        for turn in 1...1000 {
            let first = UnsafeMutableRawBufferPointer.allocate(byteCount: turn % 100 + 1, alignment: 8)
            let second = UnsafeMutableRawBufferPointer.allocate(byteCount: (turn * 7) % 100 + 1, alignment: 8)
            for i in 0..<first.count { first[i] = UInt8(truncatingIfNeeded: turn) }
            for i in 0..<second.count { second[i] = UInt8(truncatingIfNeeded: turn &+ 1) }
            // Blocks that lie over each other would show here.
            for i in 0..<first.count where first[i] != UInt8(truncatingIfNeeded: turn) { fatalError() }
            first.deallocate()
            second.deallocate()
        }
        let use = memoryUse
        send(use.requests)
        send(use.refused)
        send(use.inUse)
        send(use.peak)
        send(UInt32(truncatingIfNeeded: deepestStack))
    }

    /// Calls itself until the stack ends.
    @inline(never)
    private func overflow(_ depth: UInt32) -> UInt32 {
        var room = InlineArray<64, UInt32>(repeating: depth)
        room[Int(depth % 64)] = depth == .max ? 0 : overflow(depth &+ 1)
        return room[Int((depth &* 7) % 64)]
    }
}
