// modules: IOCOM FirmwareImages PackedJSON ByteTools Programs
// sources: Sources/UpdateTesting/Windows/CompoundFileBuilder.swift Sources/UpdateTesting/Windows/MSIBuilder.swift
// options: -max_len=600
import ByteTools
@testable import Programs

/// Compound files and the database in them: any bytes, a good file with some bytes changed, and good files of any streams, so
/// that what lies behind the tables of the container is reached too.
func fuzz(_ input: [UInt8]) {
    guard let first = input.first else { return }
    let rest = Array(input.dropFirst())
    switch first % 8 {
    case 0: check(rest)
    case 1...4: check(changed(first % 2 == 0 ? small : large, rest))
    case 5: check(changed(cut: small, rest))
    default: check((first % 2 == 0 ? smallForm : largeForm).filled(rest))
    }
}

private let small = MSIBuilder().bytes
private let large: [UInt8] = {
    var builder = MSIBuilder()
    builder.fileVersion = 4
    builder.hasLongReferences = true
    return builder.bytes
}()

/// Three bytes each: where, and what is put there.
private func changed(_ base: [UInt8], _ changes: [UInt8]) -> [UInt8] {
    var bytes = base
    for index in stride(from: 0, to: changes.count - 2, by: 3) {
        let place = Int(changes[index]) << 8 | Int(changes[index + 1])
        bytes[place % bytes.count] = changes[index + 2]
    }
    return bytes
}

private func changed(cut base: [UInt8], _ changes: [UInt8]) -> [UInt8] {
    guard changes.count >= 2 else { return [] }
    let length = Int(changes[0]) << 8 | Int(changes[1])
    return changed(Array(base.prefix(1 + length % base.count)), Array(changes.dropFirst(2)))
}

private let smallForm = PackageForm(version: 3)
private let largeForm = PackageForm(version: 4)

/// A good package whose streams have room for others: to build a file for each input takes most of the time.
private struct PackageForm {
    /// Bytes of a stream's room.
    private static let room = 640
    /// A stream of its own sectors stays as it is.
    private static let largest = 4096
    private let bytes: [UInt8]
    /// Where the size and the bytes of each stream lie.
    private let streams: [(size: Int, place: Int)]

    init(version: Int) {
        let usual = MSIBuilder().streams
        let roomy = usual.filter { $0.bytes.count < Self.largest }.map { stream in
            let rest = max(0, Self.room - stream.bytes.count)
            return (name: stream.name, bytes: stream.bytes + [UInt8](repeating: 0, count: rest))
        }
        var bytes = CompoundFileBuilder(
            version: version, streams: roomy + usual.filter { $0.bytes.count >= Self.largest }
        ).bytes
        let sector = version == 4 ? 4096 : 512
        func number(_ place: Int) -> Int { (0..<4).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) } }
        let directory = (number(48) + 1) * sector
        let small = (number(directory + 116) + 1) * sector
        var streams: [(size: Int, place: Int)] = []
        for (name, content) in usual where content.count < Self.largest {
            let units = name.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
            guard let entry = (1...roomy.count + 1).lazy.map({ directory + 128 * $0 }).first(where: { entry in
                bytes[entry..<entry + units.count].elementsEqual(units) && bytes[entry + units.count] == 0
            }) else { fatalError("a stream is not there") }
            streams.append((entry + 120, small + number(entry + 116) * 64))
            Self.put(content.count, at: entry + 120, in: &bytes)
        }
        self.bytes = bytes
        self.streams = streams
        guard (try? WindowsPackage(ArraySource(bytes))) != nil else { fatalError("the form is no package") }
    }

    private static func put(_ size: Int, at place: Int, in bytes: inout [UInt8]) {
        bytes[place] = UInt8(size & 0xFF)
        bytes[place + 1] = UInt8(size >> 8)
    }

    /// A length of two bytes and as many bytes for each stream; what is left out is as in a good package.
    func filled(_ input: [UInt8]) -> [UInt8] {
        var bytes = bytes
        var offset = 0
        for stream in streams {
            guard offset + 2 <= input.count else { break }
            let length = Int(input[offset]) << 8 | Int(input[offset + 1])
            offset += 2
            guard length > 0 else { continue }
            let content = input[offset..<min(input.count, offset + length, offset + Self.room)]
            bytes.replaceSubrange(stream.place..<stream.place + content.count, with: content)
            Self.put(content.count, at: stream.size, in: &bytes)
            offset += content.count
        }
        return bytes
    }
}

private func check(_ bytes: [UInt8]) {
    if var file = try? CompoundFile(ArraySource(bytes)) {
        for stream in file.streams {
            guard let content = try? file.read(stream, limit: bytes.count) else {
                fatalError("a stream of an opened file can't be read")
            }
            precondition(content.count == stream.size, "a stream has another size")
        }
    }
    guard let package = try? WindowsPackage(ArraySource(bytes)) else { return }
    precondition((1...15).contains(package.application.utf8.count), "a name that is none")
    precondition(package.productCode.utf8.count == 38 && package.packageCode.utf8.count == 38, "a code that is none")
    for text in [package.productName, package.manufacturer, package.productVersionText] + package.externalFiles {
        precondition(text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }, "a text that does harm")
    }
    guard let version = package.productVersion.programVersion else { return }
    precondition(WindowsVersion(version) == package.productVersion, "a version changes on its way")
}
