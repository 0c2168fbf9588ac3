import Access
import IOCOM

/// Who uses the two streams of a device, and who may: one controller at a time in each direction, with the rights for the
/// block it selects. Pure.
struct StreamArbiter {
    /// Time without a word of a stream's controller after which another may take the stream, unless the device still
    /// works for the first.
    static let patience: Milliseconds = 10_000

    /// What a proposal amounts to for the server.
    enum Finding: Equatable {
        /// A transfer of that block was begun.
        case began(StreamDirection, block: Int)
        /// The controller withdrew, or ended it.
        case released(StreamDirection)
        /// Nothing of it was written.
        case refused(StreamDirection, block: Int, Reason)
    }

    /// Why a stream can't be used.
    enum Reason: Equatable {
        /// Another controller uses it.
        case busy
        /// The rights are missing; nil when nobody has them.
        case notAllowed(Operation?)
    }

    private struct Owner {
        var link: UInt64
        var lastWord: Milliseconds
    }

    private var upload: Owner?
    private var download: Owner?

    /// The connection that uses a stream.
    func owner(_ direction: StreamDirection) -> UInt64? { (direction == .upload ? upload : download)?.link }

    /// The server itself takes the upload stream, if nobody has it.
    mutating func claimUpload(_ link: UInt64, now: Milliseconds) -> Bool {
        guard upload == nil || upload?.link == link else { return false }
        upload = Owner(link: link, lastWord: now)
        return true
    }

    /// The connection is gone.
    mutating func forget(_ link: UInt64) {
        if upload?.link == link { upload = nil }
        if download?.link == link { download = nil }
    }

    /// Decides about what `link` wants to write; adds what must not be written to `refused`.
    ///
    /// `needs` tells which right a block takes in which direction, `isWorking` whether the device is in the middle of a
    /// transfer.
    mutating func review(
        _ proposal: SnapshotProposal, _ addresses: StreamAddresses, by link: UInt64, now: Milliseconds,
        may: (Operation) -> Bool, needs: (StreamDirection, Int) -> Operation?, isWorking: (StreamDirection) -> Bool,
        refused: inout RangeSet
    ) -> Finding? {
        let direction = addresses.direction
        let ranges = addresses.controllersRanges
        guard ranges.contains(where: { proposal.touches($0) }) else { return nil }
        let command = Int(proposal.byte(at: addresses[.cmd] + 1))
        let select = addresses.select(in: proposal)
        let isActive = command == 1 || command == 2
        var owner = direction == .upload ? upload : download
        defer { if direction == .upload { upload = owner } else { download = owner } }
        if let present = owner, present.link != link {
            guard now - present.lastWord > Self.patience, !isWorking(direction) else {
                for range in ranges { refused.add(range) }
                return isActive ? .refused(direction, block: select, .busy) : nil
            }
            owner = nil
        }
        guard isActive else {
            // Positions and commands at rest do nothing; who may use no stream at all leaves them alone.
            guard may(.readBlocks) || may(.writeConfiguration) || may(.writePrograms) || may(.manageAccounts) else {
                for range in ranges { refused.add(range) }
                return nil
            }
            let isEnd = owner != nil
            owner = nil
            return isEnd ? .released(direction) : nil
        }
        let operation = needs(direction, select)
        guard let operation, may(operation) else {
            for range in ranges { refused.add(range) }
            let isEnd = owner != nil
            owner = nil
            return isEnd ? .released(direction) : .refused(direction, block: select, .notAllowed(operation))
        }
        let isNew = owner == nil
        owner = Owner(link: link, lastWord: now)
        return isNew ? .began(direction, block: select) : nil
    }
}

extension StreamAddresses {
    /// The bytes of the controller's signals.
    var controllersRanges: [ByteRange] {
        StreamSignal.allCases.filter { $0.isControllers(direction) }.map { signal in
            let width = signal == .buf ? ringSize : signal.width
            return ByteRange(self[signal], self[signal] + 1 + width)
        }
    }

    /// The block that a proposal selects.
    func select(in proposal: SnapshotProposal) -> Int {
        let byte = proposal.byte(at: self[.select] + 1)
        return selectIsSigned ? Int(Int8(bitPattern: byte)) : Int(byte)
    }
}
