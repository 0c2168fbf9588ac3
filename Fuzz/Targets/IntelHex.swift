// modules: IOCOM FirmwareImages PackedJSON ByteTools Programs
// options: -max_len=700
import Programs

/// The text of a hex file; with an odd first byte the rest are records without colon, length, checksum and digits: what
/// the rules behind those see.
func fuzz(_ input: [UInt8]) {
    guard let first = input.first else { return }
    let bytes = Array(input.dropFirst())
    let text = first & 1 == 1 ? text(bytes) : bytes
    fuzzIntelHex(text)
    fuzzTeensy(text)
}

/// Records of the bytes: type, number of data bytes, two of address, data.
private func text(_ bytes: [UInt8]) -> [UInt8] {
    let digits = Array("0123456789ABCDEF".utf8)
    var text: [UInt8] = []
    var rest = bytes[...]
    while rest.count >= 4 {
        let head = Array(rest.prefix(4))
        let type = head[0] % 8
        // Most often the number of bytes that the type wants.
        let wanted = [Int(head[1] % 32), 0, 2, 4, 2, 4, 1, 1][Int(type)]
        let size = min(head[0] & 0x80 == 0 ? wanted : Int(head[1]), rest.count - 4)
        let data = rest.dropFirst(4).prefix(size)
        rest = rest.dropFirst(4 + size)
        var record = [UInt8(size), head[2], head[3], type] + data
        record.append(0 &- record.reduce(0, &+))
        text.append(UInt8(ascii: ":"))
        for byte in record { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        text.append(10)
    }
    // Most often with its end.
    if rest.first.map({ $0 & 1 == 0 }) ?? true { text += Array(":00000001FF".utf8) }
    return text
}

/// Intel HEX: the same in one piece and in many, as an area list and as runs, and again after it was written.
private func fuzzIntelHex(_ bytes: [UInt8]) {
    let limits = IntelHexLimits(data: 1 << 16, text: 1 << 16, areas: 64)
    let image = Result { try IntelHexImage(parsing: bytes, limits: limits) }
    var reader = IntelHexReader(limits: limits)
    var runs: [IntelHexRun] = []
    do throws(IntelHexError) {
        var taken = 0
        while taken < bytes.count {
            let step = 1 + taken % 7
            runs += try reader.feed(bytes[taken..<min(bytes.count, taken + step)])
            taken += step
        }
        runs += try reader.finish()
    } catch {
        // Only bytes that come twice are taken by one and refused by the other.
        if case .overlap = error.problem { return }
        precondition((try? image.get()) == nil, "pieces are refused, the whole is not: \(error)")
        return
    }
    guard let image = try? image.get() else { preconditionFailure("the whole is refused, pieces are not") }
    precondition(image.repeatedCount == 0 && reader.start == image.start, "a reader sees what another does not")
    let count = image.areas.reduce(0) { $0 + $1.bytes.count }
    precondition(runs.reduce(0) { $0 + $1.bytes.count } == count && count == reader.dataCount, "bytes are lost")
    for run in runs {
        let area = image.areas.last { $0.address <= run.address }
        let place = area.map { Int(run.address - $0.address) } ?? 0
        precondition(area?.bytes.dropFirst(place).starts(with: run.bytes) == true, "bytes lie elsewhere")
    }
    var writer = IntelHexWriter()
    for area in image.areas {
        guard (try? writer.add(area.bytes, at: area.address)) != nil else { preconditionFailure("it can't be written") }
    }
    if let start = image.start { writer.add(start) }
    let again = try? IntelHexImage(parsing: writer.finish())
    precondition(again == image, "it changes when it is written and read")
}

/// The reader for a Teensy's program gives nothing before the beginning was found good, then bytes inside the place only.
private func fuzzTeensy(_ text: [UInt8]) {
    var reader = TeensyHexReader(application: "candy")
    do throws(TeensyProblem) {
        var taken = 0
        while taken < text.count {
            let step = 1 + taken % 31
            let runs = try reader.feed(Array(text[taken..<min(text.count, taken + step)]))
            precondition(runs.isEmpty || reader.descriptor != nil, "bytes before the program is known")
            check(runs)
            taken += step
        }
        check(try reader.finish())
        precondition(reader.descriptor != nil && reader.foundBoard != nil, "nothing was found and nothing refused")
    } catch {
        precondition(!error.description.isEmpty, "a problem has no text")
    }
}

private func check(_ runs: [IntelHexRun]) {
    for run in runs {
        precondition(run.address >= TeensyBoard.loadAddress, "bytes before the program's place")
        let end = Int(run.address - TeensyBoard.loadAddress) + run.bytes.count
        precondition(end <= 2496 << 10, "bytes behind the program's place")
    }
}
