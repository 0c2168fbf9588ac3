import FirmwareCrypto
import FirmwareImages
import FirmwareStorage
import IOCOM

/// The keys that packages have to be signed with: a persistent block that the factory writes and that can't be written from
/// outside, 8 bytes of number and 32 of key each.
struct PackageKeys {
    static var most: Int { 4 }
    private static var size: Int { 40 }

    private var keys: InlineArray<4, ManifestKey>
    /// With none every package is taken.
    private(set) var count = 0
    /// There are keys, but what they are is not known: no package is taken.
    private var isUnusable = false

    init<Area: FlashArea>(_ log: BlockLog<Area>) {
        keys = InlineArray(
            repeating: ManifestKey(number: InlineArray(repeating: 0), bytes: InlineArray(repeating: 0)))
        var bytes = InlineArray<160, UInt8>(repeating: 0)
        do throws(BlockLogProblem) {
            guard let length = try log.read(BlockRules.packageKeys, into: &bytes) else { return }
            isUnusable = length <= 0 || length % Self.size != 0
            count = max(1, length / Self.size)
        } catch {
            isUnusable = true
            count = 1
        }
        guard !isUnusable else { return }
        for key in 0..<count {
            for i in 0..<8 { keys[key].number[i] = bytes[key * Self.size + i] }
            for i in 0..<32 { keys[key].bytes[i] = bytes[key * Self.size + 8 + i] }
        }
    }

    /// What the manifest in block 13 permits on this device; nil when no keys are there, so that everything is permitted.
    func permitted<Area: FlashArea>(
        _ log: BlockLog<Area>, on target: ManifestTarget
    ) throws(ManifestProblem) -> PackageCheck? {
        guard !isUnusable else { throw .noKeys }
        guard count > 0 else { return nil }
        // A usual one has 400 bytes.
        var bytes = InlineArray<1024, UInt8>(repeating: 0)
        let found: Int?
        do throws(BlockLogProblem) { found = try log.read(UInt8(BlockRules.manifest), into: &bytes) } catch {
            throw .manifest
        }
        guard let length = found else { throw .manifest }
        guard length >= 0 else { throw .tooLong }
        let package = try ManifestCheck.permitted(
            bytes.span.bytes.extracting(first: length), by: keys.span.extracting(first: count), on: target)
        return PackageCheck(package)
    }
}

/// Compares a package that comes with the one that was signed.
struct PackageCheck {
    private let package: PermittedPackage
    private var hash = ImageHash()
    private var size: UInt32 = 0

    init(_ package: PermittedPackage) { self.package = package }

    /// False when more bytes came than were signed.
    mutating func add(_ bytes: RawSpan) -> Bool {
        size += UInt32(truncatingIfNeeded: bytes.byteCount)
        hash.add(bytes)
        return size <= package.size
    }

    /// True when what came is what was signed.
    func isRight() -> Bool { size == package.size && hash.finished() == package.sha256 }
}

extension BlockLog {
    /// Reads a small value; gives its length, -1 when it is larger than `out`, nil when there is none.
    func read<let limit: Int>(
        _ block: UInt8, into out: inout InlineArray<limit, UInt8>
    ) throws(BlockLogProblem) -> Int? {
        guard var value = try value(block) else { return nil }
        guard value.size <= limit else { return -1 }
        var span = out.mutableSpan
        return try span.withUnsafeMutableBytes { out throws(BlockLogProblem) in try read(&value, into: out) }
    }
}

extension ManifestProblem {
    /// The reason for people.
    var text: StaticString {
        switch self {
        case .tooLong: "the signed manifest is longer than this device takes"
        case .signature: "the signature of the manifest is not written as one"
        case .manifest: "this device takes signed packages only, and no manifest came before; use 'ispy package sign'"
        case .noKeys: "the keys of this device can't be read, so it takes no package; its flash has to be written anew"
        case .unknownKey: "the package is signed with a key that this device does not trust"
        case .wrongSignature: "the signature of the manifest is wrong"
        case .size: "the signed package is too large"
        case .application: "the signed package is another application"
        case .os, .hardware: "the signed package is for other hardware"
        case .older: "the signed package is older than what runs; its maker can permit that when signing it"
        }
    }
}
