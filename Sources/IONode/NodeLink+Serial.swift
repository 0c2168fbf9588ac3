import IOCOM
import NIOCore

/// What a link on a serial line keeps beside its connection (docs/protocol-extensions.md, "A serial line that fails").
struct SerialLinkState {
    /// A client that nobody answers for so long says so, and its owner tries again, ms.
    static let patience: Milliseconds = 8_000
    /// Blocks that a peer has not told of again so long after it came back are gone, ms: infos come before everything else.
    static let settling: Milliseconds = 4_000
    /// A timer that fires so late shows that this process did not run, ms: then what has arrived meanwhile is read before
    /// the peer is called silent.
    static let stall: Milliseconds = 30

    let openedAt: Milliseconds
    /// The connection failed at this time and is not yet as it was before.
    var failedAt: Milliseconds?
    /// The blocks wait for the peer to come back.
    var isAway = false
    /// The peer came back at this time, and has not told of all its blocks yet.
    var cameBackAt: Milliseconds?
    /// Blocks that it has still to tell of.
    var missing: Set<BlockPath> = []
    var timer: Scheduled<Void>?
    var timerAt: Milliseconds = 0
    var wasLate = false

    init(now: Milliseconds) { openedAt = now }
}

extension NodeLink {
    /// Sets the timer for what the connection has to do next: 50 or 100 ms would be too coarse for this timing (2.8).
    func scheduleSerial() {
        guard let state = serial, let deadline = nextSerialDeadline() else { return }
        // A timer that fires too early does no harm, and a new one for each frame costs.
        guard state.timer == nil || deadline < state.timerAt else { return }
        state.timer?.cancel()
        setSerialTimer(at: deadline)
    }

    private func setSerialTimer(at time: Milliseconds) {
        let bound = NIOLoopBound(self, eventLoop: node.loop)
        serial?.timerAt = time
        serial?.timer = node.loop.scheduleTask(
            deadline: .uptimeNanoseconds(UInt64(max(0, time)) * 1_000_000)
        ) { bound.value.serialTimerFired() }
    }

    private func nextSerialDeadline() -> Milliseconds? {
        guard let serial, let next = connectionDeadline else { return nil }
        var deadline = next
        if serial.isAway, let failedAt = serial.failedAt {
            deadline = min(deadline, failedAt + node.limits.serialHold)
        }
        if let cameBackAt = serial.cameBackAt { deadline = min(deadline, cameBackAt + SerialLinkState.settling) }
        if isWaitingForAnybody { deadline = min(deadline, serial.openedAt + SerialLinkState.patience) }
        return deadline == .max ? nil : deadline
    }

    /// A client that has never heard anybody.
    private var isWaitingForAnybody: Bool { side == .client && peer == nil }

    private func serialTimerFired() {
        guard let state = serial else { return }
        serial?.timer = nil
        let now = node.now
        if now - state.timerAt > SerialLinkState.stall, !state.wasLate {
            serial?.wasLate = true
            return setSerialTimer(at: now + SerialLinkState.stall)
        }
        serial?.wasLate = false
        if state.isAway, let failedAt = state.failedAt, now - failedAt >= node.limits.serialHold {
            return end(
                "\(peerAddress): \(lastFailure.map(String.init(describing:)) ?? "the line failed"); it did not come back"
            )
        }
        if isWaitingForAnybody, now - state.openedAt >= SerialLinkState.patience {
            return end(
                "nobody answers on \(peerAddress); look at the line, its speed, and whether the other end listens")
        }
        if let cameBackAt = state.cameBackAt, now - cameBackAt >= SerialLinkState.settling { settle() }
        tickConnection(now)
        scheduleSerial()
        node.flushWaiting()
    }

    /// What the peer has not told of again is gone.
    private func settle() {
        let missing = serial?.missing ?? []
        serial?.cameBackAt = nil
        serial?.failedAt = nil
        serial?.missing = []
        for path in missing {
            if let block = broughtBlocks[path] { node.removeBlock(block, broughtBy: self) }
        }
        releaseHeldBlocks()
    }

    /// A rule was broken on a serial line, by noise more often than by the peer: both start over with the handshake.
    ///
    /// A peer that was let in keeps its place, and blocks and transfers wait, at both ends, for it to come back.
    func lineFailed(_ violation: ProtocolViolation) {
        guard serial != nil, !isClosing else { return }
        let now = node.now
        let wasLetIn = isReady || serial?.isAway == true
        if isFarewell(violation) { return end("the peer closed the connection") }
        // A server that lets nobody in closes after the login; so a client that never heard of a block was not let in.
        guard !wasLetIn || side == .listener || heardOfBlocks else { return end(violation) }
        lastFailure = violation
        interruptions += 1
        if wasLetIn {
            if serial?.failedAt == nil { serial?.failedAt = now }
            serial?.isAway = true
        }
        serial?.cameBackAt = nil
        restartConnection(holdingBlocks: wasLetIn, now: now)
        flush()
        scheduleSerial()
    }

    /// A client that stops says DISCONNECT in the middle of frames; a listener says so as well when it only starts over.
    private func isFarewell(_ violation: ProtocolViolation) -> Bool {
        guard side == .listener, case .frameNumber(_, SerialControl.disconnect) = violation else { return false }
        return true
    }

    /// The peer said who it is, while the blocks of an earlier peer are held. True when it is that one and has its blocks and
    /// transfers as well.
    func isComingBack(_ peer: Authentication, after earlier: Authentication?) -> Bool {
        guard let earlier, earlier.user == peer.user, earlier.number == peer.number, earlier.network == peer.network
        else { return false }
        // A device that started again has nothing of what is held; one of the original never says that it has.
        return side == .client || peer.flags.contains(.continues)
    }

    /// The peer is back in time: everything goes on where it was.
    func goOnAfterFailure() {
        serial?.isAway = false
        serial?.cameBackAt = node.now
        serial?.missing = Set(broughtBlocks.keys)
        if direction == .up {
            for block in node.allBlocks { announce(block) }
        }
    }

    /// The peer told of a block; once it has told of all, a further failure is a new one.
    func toldOf(_ path: BlockPath) {
        heardOfBlocks = true
        guard serial?.failedAt != nil else { return }
        serial?.missing.remove(path)
        if serial?.isAway == false, serial?.missing.isEmpty == true { serial?.failedAt = nil }
    }

    /// Somebody else is at the line now, or the same device after a start: what is held goes.
    func beginAnew() {
        serial?.isAway = false
        serial?.failedAt = nil
        serial?.cameBackAt = nil
        heardOfBlocks = false
        discardHeldBlocks()
        node.linkChangedPeer(self, reason: lastFailure.map(String.init(describing:)) ?? "it started again")
    }
}
