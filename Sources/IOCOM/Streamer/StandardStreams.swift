/// The layout of `conf_exp` and `conf_imp` that devices of the original use (application-layer.md 1.4).
///
/// A device of ours lays its blocks out like this. A controller must not assume it: it takes the addresses from the
/// device's `info` block.
public struct StandardStreams: Sendable, Equatable {
    /// Elements of the upload ring `tod_buf`.
    public let uploadRing: Int
    /// Elements of the download ring `frd_buf`.
    public let downloadRing: Int

    /// Layout for two ring sizes: 257 and 257 in small devices of the original, 1025 and 257 in its bigger ones.
    ///
    /// A device that must serve original controllers should not make the upload ring larger than its storage can
    /// take in 5 seconds: they wait no longer for the last ringful.
    public init(uploadRing: Int = 1025, downloadRing: Int = 257) throws(StreamPortError) {
        guard uploadRing >= 2, uploadRing <= Limit.largestRing else { throw .ringSize(uploadRing) }
        guard downloadRing >= 2, downloadRing <= Limit.largestRing else { throw .ringSize(downloadRing) }
        self.uploadRing = uploadRing
        self.downloadRing = downloadRing
    }

    /// Size of `conf_exp`, the block the device writes.
    public var deviceBlockSize: Int { 22 + downloadRing }

    /// Size of `conf_imp`, the block the controller writes.
    public var controllerBlockSize: Int { 13 + uploadRing + 9 }

    /// The `tod` signals.
    public var upload: StreamAddresses {
        var a = StreamAddresses(direction: .upload, ringSize: uploadRing, selectIsSigned: true)
        a[.state] = 0
        a[.err] = 2
        a[.tail] = 4
        a[.cmd] = 0
        a[.select] = 2
        a[.cs] = 4
        a[.head] = 7
        a[.buf] = 12
        return a
    }

    /// The `frd` signals.
    public var download: StreamAddresses {
        let behindUpload = 13 + uploadRing
        var a = StreamAddresses(direction: .download, ringSize: downloadRing, selectIsSigned: false)
        a[.state] = 9
        a[.err] = 11
        a[.cs] = 13
        a[.head] = 16
        a[.buf] = 21
        a[.cmd] = behindUpload
        a[.select] = behindUpload + 2
        a[.tail] = behindUpload + 4
        return a
    }
}
