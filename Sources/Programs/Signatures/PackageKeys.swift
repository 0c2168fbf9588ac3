public import ByteTools

/// Where a device finds the keys that packages must be signed with. Read anew for each installation, so that keys can be
/// rotated while the device runs.
public struct PackageKeys: Sendable, Equatable {
    /// File or folder that the owner named. Keys that were asked for and are not there are an error: a device must not
    /// trust everybody because a file was lost.
    public var named: String?
    /// Where keys are taken from when none were named and there are some.
    public var usual: [String]

    /// Keys at `named`, else at the first of `usual` that has some.
    public init(named: String?, usual: [String]) {
        self.named = named
        self.usual = usual
    }

    /// The keys; none takes every package.
    public func load() throws(StorageFailure) -> [TrustedKey] {
        guard let named else {
            for path in usual {
                let keys = try TrustedKey.load(path)
                if !keys.isEmpty { return keys }
            }
            return []
        }
        let keys = try TrustedKey.load(named)
        guard !keys.isEmpty else {
            throw StorageFailure("\(named) holds no key for packages (*.pub): no package is accepted")
        }
        return keys
    }
}
