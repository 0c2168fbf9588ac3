public import ByteTools

/// The program of a Teensy as its package, a hex file, holds it.
public struct TeensyImage: Sendable, Equatable {
    /// The board it is for.
    public let board: TeensyBoard
    /// What it says of itself, and its hash.
    public let image: MicrocontrollerImage
    /// The bytes for the flash, from the program's first one on.
    public let bytes: [UInt8]

    /// Why a file is no such program.
    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// What is wrong with it.
        case program(TeensyProblem)
        /// It can't be read.
        case unreadable(StorageFailure)

        /// The reason for people.
        public var description: String {
            switch self {
            case .program(let problem): problem.description
            case .unreadable(let failure): failure.description
            }
        }
    }

    /// True when a file that starts like this looks like a hex file.
    public static func isHex(_ start: [UInt8]) -> Bool {
        start.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D } == UInt8(ascii: ":")
    }

    /// Checks a hex file whole.
    public init(checking source: some ByteSource, board: TeensyBoard? = nil) throws(Failure) {
        var reader = TeensyHexReader(board: board)
        var bytes: [UInt8] = []
        func place(_ runs: [IntelHexRun]) {
            for run in runs {
                let offset = Int(run.address - TeensyBoard.loadAddress)
                let end = offset + run.bytes.count
                if bytes.count < end { bytes += [UInt8](repeating: 0xFF, count: end - bytes.count) }
                bytes.replaceSubrange(offset..<end, with: run.bytes)
            }
        }
        let total: Int
        do { total = try source.byteCount } catch { throw .unreadable(error) }
        var offset = 0
        while offset < total {
            let text: [UInt8]
            do { text = try source.read(at: offset, count: min(1 << 16, total - offset)) } catch {
                throw .unreadable(error)
            }
            do { place(try reader.feed(text)) } catch { throw .program(error) }
            offset += text.count
        }
        do { place(try reader.finish()) } catch { throw .program(error) }
        guard let found = reader.foundBoard else { throw .program(.noStart) }
        do { image = try MicrocontrollerImage(checking: ArraySource(bytes)) } catch {
            switch error {
            case .image(let problem): throw .program(.image(problem))
            case .unreadable(let failure): throw .unreadable(failure)
            }
        }
        self.board = found
        self.bytes = bytes
    }
}
