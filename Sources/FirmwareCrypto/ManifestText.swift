import FirmwareImages

/// Where the values of a manifest stand in its text: one `name: value` a line, always in the same order, written in the one
/// way that `ispy package sign` writes it.
struct ManifestText {
    /// Longest text in bytes.
    private static let longest = 2048
    /// Longest file name that the fields may make.
    private static let longestName = 255
    /// What a file name has beside its fields: four dashes and the shortest extension that is counted, `.pkg`.
    private static let nameRest = 8

    let application: Range<Int>
    let os: Range<Int>
    let hardware: Range<Int>
    let version: ManifestVersion
    let size: UInt32
    let sha256: ImageDigest
    let allowsDowngrade: Bool

    /// Reads the text from `start` to the end of `bytes`. Ranges count from the beginning of `bytes`.
    init(parsing bytes: RawSpan, from start: Int) throws(ManifestProblem) {
        guard bytes.byteCount - start <= Self.longest else { throw .manifest }
        var at = start
        guard skip("iocom-manifest: 1\n", bytes, &at) else { throw .manifest }
        let organization = try Self.field("organization: ", bytes, &at)
        application = try Self.field("application: ", bytes, &at)
        let versionText = try Self.value("version: ", bytes, &at)
        guard let version = ManifestVersion(bytes, versionText) else { throw .manifest }
        self.version = version
        os = try Self.field("os: ", bytes, &at)
        hardware = try Self.field("hardware: ", bytes, &at)
        guard
            organization.count + application.count + versionText.count + os.count + hardware.count + Self.nameRest
                <= Self.longestName
        else { throw .manifest }
        size = try Self.number(bytes, Self.value("size: ", bytes, &at))
        sha256 = try Self.hash(bytes, Self.value("sha256: ", bytes, &at))
        if at < bytes.byteCount {
            guard skip("downgrade: allowed\n", bytes, &at), at == bytes.byteCount else { throw .manifest }
            allowsDowngrade = true
        } else {
            allowsDowngrade = false
        }
    }

    /// The value of a line that begins with `name`: all up to the end of the line.
    @inline(never)
    private static func value(
        _ name: StaticString, _ bytes: RawSpan, _ at: inout Int
    ) throws(ManifestProblem) -> Range<Int> {
        guard skip(name, bytes, &at) else { throw .manifest }
        let start = at
        while at < bytes.byteCount {
            let byte = bytes.unsafeLoad(fromByteOffset: at, as: UInt8.self)
            at += 1
            if byte == UInt8(ascii: "\n") { return start..<(at - 1) }
        }
        throw .manifest
    }

    /// A value that is a part of file names: letters, digits and underscores.
    private static func field(
        _ name: StaticString, _ bytes: RawSpan, _ at: inout Int
    ) throws(ManifestProblem) -> Range<Int> {
        let range = try value(name, bytes, &at)
        guard !range.isEmpty else { throw .manifest }
        for i in range {
            switch bytes.unsafeLoad(fromByteOffset: i, as: UInt8.self) {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                continue
            default: throw .manifest
            }
        }
        return range
    }

    /// A number above zero without leading zeros.
    private static func number(_ bytes: RawSpan, _ range: Range<Int>) throws(ManifestProblem) -> UInt32 {
        var number: UInt32 = 0
        for i in range {
            let digit = bytes.unsafeLoad(fromByteOffset: i, as: UInt8.self) &- UInt8(ascii: "0")
            guard digit < 10, number > 0 || digit > 0 else { throw .manifest }
            let (tens, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, isTooLargeToo) = tens.addingReportingOverflow(UInt32(digit))
            guard !isTooLarge, !isTooLargeToo else { throw .size }
            number = sum
        }
        guard number > 0 else { throw .manifest }
        return number
    }

    /// 64 hexadecimal digits, small ones.
    private static func hash(_ bytes: RawSpan, _ range: Range<Int>) throws(ManifestProblem) -> ImageDigest {
        guard range.count == 64 else { throw .manifest }
        var hash = ImageDigest()
        for i in 0..<64 {
            let byte = bytes.unsafeLoad(fromByteOffset: range.lowerBound + i, as: UInt8.self)
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): hash[i / 2] = hash[i / 2] << 4 | (byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): hash[i / 2] = hash[i / 2] << 4 | (byte - UInt8(ascii: "a") + 10)
            default: throw .manifest
            }
        }
        return hash
    }
}
