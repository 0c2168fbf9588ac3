public import FirmwareImages

/// The program that a flash area begins with.
public struct StoredImage: Equatable, Sendable {
    /// What it says of itself.
    public let descriptor: ProgramDescriptor
    /// Its hash.
    public let digest: ImageDigest

    /// Reads and checks everything; nil when there is no whole program for `target`. A place that can't be read (a word that
    /// was cut, with ECC) is one without.
    public init?(in area: some FlashArea, for target: ImageTarget) throws(FlashFault) {
        var scanner = ImageScanner(target)
        var buffer = InlineArray<256, UInt8>(repeating: 0)
        var at = 0
        var limit = ProgramDescriptor.offset + ProgramDescriptor.size
        while at < limit {
            let part = min(256, limit - at)
            guard at + part <= area.size else { return nil }
            guard try area.readIfPossible(at: at, into: &buffer, count: part) else { return nil }
            do throws(ImageProblem) { try scanner.feed(buffer.span.bytes.extracting(first: part)) } catch {
                return nil
            }
            at += part
            if let size = scanner.descriptor?.imageSize { limit = Int(truncatingIfNeeded: size) }
        }
        do throws(ImageProblem) { digest = try scanner.finish() } catch { return nil }
        guard let descriptor = scanner.descriptor else { return nil }
        self.descriptor = descriptor
    }
}

extension FlashArea {
    /// The hash of the image at the start of this area; nil when there is none that is whole and for `target`, and when the
    /// flash can't be read.
    public func imageDigest(for target: ImageTarget) -> ImageDigest? {
        do throws(FlashFault) { return try StoredImage(in: self, for: target)?.digest } catch { return nil }
    }
}
