import DeviceDescription
import IOCOM
import PackedJSON

/// What a device says of itself in its `info` block, read once: a device may say what it wants, as often as it wants, and
/// must not cost the server more than that.
struct DeviceWord {
    /// A description that can be used.
    struct Content {
        let info: DeviceInfo
        let signals: GuardedSignals
    }

    /// Time after which a description that could not be used, and has changed since, is looked at again.
    static let patience: Milliseconds = 1_000
    /// Far more than any device needs: the largest of the original's have some 150 signals, in 5 KB.
    static let limits: DeviceInfoLimits = {
        var limits = DeviceInfoLimits()
        limits.document.bytes = 256 << 10
        limits.document.items = 20_000
        return limits
    }()

    private var content: Content?
    private var lastTry: Milliseconds?
    private var hasChanged = false

    /// The block has new content.
    mutating func changed() { hasChanged = true }

    /// What `block` says. Once it said something of use that stays, as its operators read it, until the device is gone.
    mutating func content(of block: MemoryBlock?, now: Milliseconds) -> Content? {
        if let content { return content }
        guard let block else { return nil }
        if let lastTry, !hasChanged || now - lastTry < Self.patience { return nil }
        lastTry = now
        hasChanged = false
        let info = block.withBytes { span -> DeviceInfo? in
            do throws(DeviceInfoError) { return try DeviceInfo(packed: span, limits: Self.limits) } catch { return nil }
        }
        content = info.map { Content(info: $0, signals: GuardedSignals($0)) }
        return content
    }
}
