public import FirmwareImages
import IOCOM

/// Reads the hex file of a program for a Teensy as it arrives, and hands its bytes on as soon as its beginning has shown that
/// it is one for this place.
///
/// Records may come in any order and with gaps; only what the boot ROM and we look at first (``TeensyHeader``, the program
/// descriptor) has to come within the first ``mostHeld`` bytes. Gaps count as erased flash.
public struct TeensyHexReader: Sendable {
    /// Bytes that are held back until the beginning is complete.
    public static let mostHeld = 1 << 16

    private let board: TeensyBoard?
    private let application: ShortText<15>
    private let capacity: Int
    private var reader: IntelHexReader
    private var head = [UInt8](repeating: 0xFF, count: TeensyHeader.size)
    private var present = [Bool](repeating: false, count: TeensyHeader.size)
    /// Bytes of the beginning that did not come yet.
    private var missing = TeensyHeader.size
    private var held: [IntelHexRun] = []
    private var heldCount = 0
    /// What the program says of itself; nil until it was found to be for this place. Before that no bytes are given.
    public private(set) var descriptor: ProgramDescriptor?
    /// The board that the program is for, told by the size of its flash.
    public private(set) var foundBoard: TeensyBoard?

    /// A reader for a program of `application`, any one when nil, for `board`, any one when nil.
    public init(board: TeensyBoard? = nil, application: String? = nil) {
        self.board = board
        self.application = application.flatMap { ShortText($0) } ?? ShortText()
        capacity = board?.programSize ?? TeensyBoard.all.map(\.programSize).max() ?? 0
        reader = IntelHexReader(limits: IntelHexLimits(data: capacity))
    }

    /// Takes text and gives what may be written: bytes with their offsets from the start of the program.
    public mutating func feed(_ text: [UInt8]) throws(TeensyProblem) -> [IntelHexRun] {
        let runs: [IntelHexRun]
        do { runs = try reader.feed(text) } catch { throw .hex(error) }
        return try take(runs)
    }

    /// Says that the text is complete; gives the last bytes. The caller checks the hash of the whole.
    public mutating func finish() throws(TeensyProblem) -> [IntelHexRun] {
        let runs: [IntelHexRun]
        do { runs = try reader.finish() } catch { throw .hex(error) }
        var given = try take(runs)
        if descriptor == nil {
            try accept()
            given = held
            held = []
        }
        guard let descriptor, let span = reader.span else { throw .noStart }
        let has = Int(span.upperBound - TeensyBoard.loadAddress) + 1
        guard has == Int(descriptor.imageSize) else { throw .size(says: Int(descriptor.imageSize), has: has) }
        return given
    }

    private mutating func take(_ runs: [IntelHexRun]) throws(TeensyProblem) -> [IntelHexRun] {
        guard !runs.isEmpty else { return [] }
        for run in runs {
            guard run.address >= TeensyBoard.loadAddress else { throw .before(run.address) }
            let place = Int(run.address - TeensyBoard.loadAddress)
            let limit = min(capacity, descriptor.map { Int($0.imageSize) } ?? capacity)
            guard place + run.bytes.count <= limit else {
                guard limit == capacity else { throw .size(says: limit, has: place + run.bytes.count) }
                throw .behind(TeensyBoard.loadAddress + UInt32(capacity), limit: capacity)
            }
            guard descriptor == nil else { continue }
            for (offset, byte) in zip(place..., run.bytes.prefix(max(0, TeensyHeader.size - place))) {
                head[offset] = byte
                // The reader refuses what comes twice.
                present[offset] = true
                missing -= 1
            }
        }
        guard descriptor == nil else { return runs }
        held += runs
        heldCount += runs.reduce(0) { $0 + $1.bytes.count }
        let place = ProgramDescriptor.offset..<ProgramDescriptor.offset + ProgramDescriptor.size
        // As soon as the descriptor is there it says whether this is for us.
        if present[place].allSatisfy({ $0 }) { _ = try described() }
        let isBehind = (held.last.map { Int($0.address - TeensyBoard.loadAddress) + $0.bytes.count } ?? 0) > head.count
        let isFull = heldCount > Self.mostHeld
        guard isBehind || isFull || missing == 0 else { return [] }
        do { try accept() } catch {
            // In another order the rest of the beginning may still come.
            guard !isFull, missing > 0 else { throw error }
            return []
        }
        let given = held
        held = []
        return given
    }

    private func described() throws(TeensyProblem) -> (ProgramDescriptor, TeensyBoard) {
        guard present[0] || present[ProgramDescriptor.offset] else { throw .noStart }
        let start = head.span.bytes.extracting(0..<ProgramDescriptor.offset + ProgramDescriptor.size)
        do throws(ImageProblem) {
            let hardware = try ProgramDescriptor(parsing: start, at: ProgramDescriptor.offset).hardware.description
            guard let board = board ?? TeensyBoard.named(hardware) else { throw ImageProblem.hardware }
            var scanner = ImageScanner(board.target(application))
            try scanner.feed(start)
            guard let descriptor = scanner.descriptor else { throw ImageProblem.tooShort }
            return (descriptor, board)
        } catch { throw .image(error) }
    }

    private mutating func accept() throws(TeensyProblem) {
        let (found, board) = try described()
        try TeensyHeader.check(head, imageSize: found.imageSize, board: board)
        descriptor = found
        foundBoard = board
    }
}
