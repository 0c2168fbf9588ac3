// modules: IOCOM
// sources: Sources/Discovery/Announcement.swift Sources/Discovery/AnnouncementError.swift Sources/Discovery/EndPoint.swift Sources/Discovery/PublishText.swift
// options: -max_len=200
import IOCOM

/// What is read as an announcement is written and read as the same, in no more bytes. The checksum is put right first, or
/// hardly an input would get behind it; its own refusal is tried with every input too.
func fuzz(_ input: [UInt8]) {
    check(input)
    guard input.count >= Announcement.headerSize else { return }
    var bytes = input
    (bytes[8], bytes[9], bytes[10], bytes[11]) = (0xB3, UInt8(Announcement.headerSize), 0, 0)
    bytes[16] = UInt8(truncatingIfNeeded: bytes.count - Announcement.headerSize)
    if bytes.count > Announcement.headerSize { bytes[bytes.count - 1] = 0 }
    let checksum = CRC16.of(bytes)
    (bytes[10], bytes[11]) = (UInt8(truncatingIfNeeded: checksum), UInt8(truncatingIfNeeded: checksum >> 8))
    check(bytes)
}

private func check(_ bytes: [UInt8]) {
    let message: Announcement
    do { message = try Announcement(parsing: bytes) } catch {
        _ = error.description
        return
    }
    precondition(message.text.networks.allSatisfy { !$0.endPoints.isEmpty && !$0.name.isEmpty })
    guard let again = try? message.bytes() else { preconditionFailure("it can't be written again") }
    precondition(again.count <= bytes.count)
    let second = try? Announcement(parsing: again)
    precondition(second == message)
}
