public import IOCOM

/// What a device's control streams write to and read from: its persistent blocks and its program installer.
///
/// Called off the event loop, one call at a time for each open sink or source.
public protocol BlockService: Sendable {
    /// Opens a block for writing, or refuses with a status for the controller and a text for people.
    func openForWriting(_ block: Int) throws(BlockServiceError) -> any BlockSink
    /// Opens a block for reading.
    func openForReading(_ block: Int) throws(BlockServiceError) -> any BlockReader
}

/// Takes the bytes of one upload.
public protocol BlockSink: AnyObject, Sendable {
    /// Takes the next bytes; returns when they are safe to confirm to the controller.
    func append(_ bytes: [UInt8]) throws(BlockServiceError)
    /// All bytes came and their checksum was right: puts them in force.
    func finish() throws(BlockServiceError) -> UploadEffect
    /// The upload failed: everything stays as it was.
    func cancel()
}

/// Gives the bytes of one download.
public protocol BlockReader: AnyObject, Sendable {
    /// The next bytes, at most `count`; empty at the end.
    func read(upTo count: Int) throws(BlockServiceError) -> [UInt8]
}

/// What a completed upload asks of the device.
public enum UploadEffect: Sendable, Equatable {
    /// The value is stored.
    case stored
    /// The device must restart; the text says why.
    case restart(String)
}

/// A refusal: a number for the controller, a text for people.
public struct BlockServiceError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Number for `tod_err` or `frd_err`.
    public let status: StreamStatus
    /// The reason.
    public let description: String

    /// Composes a refusal.
    public init(_ status: StreamStatus, _ description: String) {
        self.status = status
        self.description = description
    }
}
