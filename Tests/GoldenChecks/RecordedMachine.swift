import FirmwareImages
import Glibc

/// A machine that checks recordings with the same code as this process, at the other end of a Unix socket: QEMU with the
/// program `golden-virt`.
public final class RecordedMachine {
    private let socket: Int32
    /// How long an answer may take, ms: the emulated machine is slow, and so may be the one that emulates it.
    private let patience: Int32

    /// Why the machine did not do what it was asked.
    public struct Failure: Error, CustomStringConvertible {
        /// The reason.
        public let description: String
    }

    /// Connects to a socket that is there within `milliseconds`.
    public init(path: String, milliseconds: Int = 20_000, patience: Int32 = 120_000) throws {
        self.patience = patience
        socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard bytes.count < room else { throw Failure(description: "\(path) is too long for a socket") }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        for attempt in 0... {
            let connected = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            if connected == 0 { break }
            guard attempt < milliseconds / 20 else { throw Failure(description: "nothing listens at \(path)") }
            usleep(20_000)
        }
    }

    deinit { close(socket) }

    /// Sends a recording, piece by piece, and gives what the machine says of it (``GoldenReport/answer``).
    public func check(_ recording: Recording) throws -> [String] {
        _ = try ask(.begin)
        for pieces in recording.connections {
            _ = try ask(.connection)
            for piece in pieces { _ = try ask(.piece, piece.record) }
        }
        return try ask(.check)
    }

    /// Sends a record, and gives the lines of its answer before the last one.
    func ask(_ kind: CheckRecord, _ bytes: [UInt8] = []) throws -> [String] {
        var checksum = ImageCRC()
        checksum.add(kind.rawValue)
        bytes.withUnsafeBytes { checksum.add($0) }
        try send([kind.rawValue] + Self.number(UInt32(bytes.count)) + bytes + Self.number(checksum.value))
        var lines: [String] = []
        while true {
            let line = try readLine()
            if line == "+" { return lines }
            lines.append(line)
            guard lines.count < 4, line != "trap" else {
                throw Failure(description: "the machine answered \(lines.joined(separator: ", "))")
            }
        }
    }

    /// Four bytes, the lowest first.
    static func number(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }

    /// Sends bytes as they are.
    public func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(description: "the machine went away") }
            sent += count
        }
    }

    /// The next line that the machine says.
    public func readLine() throws -> String {
        var line: [UInt8] = []
        while true {
            var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            guard poll(&descriptor, 1, patience) == 1 else {
                throw Failure(description: "no answer of the machine within \(patience / 1000) s")
            }
            var byte: UInt8 = 0
            guard read(socket, &byte, 1) == 1 else { throw Failure(description: "the machine went away") }
            if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
            guard line.count <= CheckRecord.longest else { throw Failure(description: "the machine says too much") }
        }
    }
}
