import FirmwareImages
import GoldenChecks
import Machine

// The checks of recorded conversations (Tests/GoldenChecks) on the emulated RISC-V board, with the protocol core as Embedded
// Swift. Recordings come over the serial line as records; RecordedMachine.swift of the checks is the other end.

/// The serial line (16550), without interrupts: this program does one thing after the other.
enum SerialLine {
    private static var data: UInt { 0x1000_0000 }
    private static var status: UInt { 0x1000_0005 }

    static func read() -> UInt8 {
        while machine_load8(status) & 1 == 0 {}
        return machine_load8(data)
    }

    static func write(_ byte: UInt8) {
        while machine_load8(status) & 0x20 == 0 {}
        machine_store8(data, byte)
    }

    static func write(_ line: String) {
        for byte in line.utf8 { write(byte) }
        write(UInt8(ascii: "\n"))
    }

    /// Four bytes, the lowest first.
    static func readNumber() -> UInt32 {
        var number: UInt32 = 0
        for shift: UInt32 in [0, 8, 16, 24] { number |= UInt32(read()) << shift }
        return number
    }
}

/// Reads a record: its kind, length, bytes and CRC-32; nil when they do not fit together.
func readRecord() -> (kind: UInt8, bytes: [UInt8])? {
    let kind = SerialLine.read()
    let length = SerialLine.readNumber()
    guard length <= CheckRecord.longest else { return nil }
    var checksum = ImageCRC()
    checksum.add(kind)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(length))
    for _ in 0..<length {
        let byte = SerialLine.read()
        checksum.add(byte)
        bytes.append(byte)
    }
    return SerialLine.readNumber() == checksum.value ? (kind, bytes) : nil
}

/// Called by the start-up code under the name that the package manager gives to the entry of an executable.
@_cdecl("golden_virt_main")
public func start() {
    var recording = Recording(connections: [])
    while let (kind, bytes) = readRecord() {
        switch CheckRecord(rawValue: kind) {
        case .begin: recording = Recording(connections: [])
        case .connection: recording.connections.append([])
        case .piece:
            guard let piece = Piece(record: bytes), let last = recording.connections.indices.last else { return }
            recording.connections[last].append(piece)
        case .check:
            for line in GoldenReport(name: "", recording: recording).answer { SerialLine.write(line) }
        case nil: return
        }
        SerialLine.write("+")
    }
    SerialLine.write("a record was damaged on its way")
}
