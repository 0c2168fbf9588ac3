extension Connection {
    /// Writes what is due into `out` and returns how many bytes; 0 when nothing can be sent now.
    ///
    /// Call again while it returns more than 0 and the transport takes more. `out` should have room for a largest frame
    /// (16,384 bytes) or more; frames that do not fit wait for the next call.
    public mutating func produce(into out: UnsafeMutableRawBufferPointer, now: Milliseconds) -> Int {
        var written = produceHandshake(into: out)
        guard canSendFrames else { return written }
        let handshakeBytes = written
        if flow.mustAcknowledge || (flow.mayAcknowledge && isRunning && queue.isEmpty)
            || now - lastSent >= keepAliveInterval
        {
            // Acknowledges have a little more room than frames, or both ends could wait for each other (2.7).
            if flow.hasAcknowledgeRoom || now - lastSent >= keepAliveInterval {
                written += flow.writeAcknowledge(into: rest(out, written))
            }
        }
        if !hasSentAuthentication && mayAuthenticate { written += sendAuthentication(into: rest(out, written)) }
        if isRunning && hasSentAuthentication {
            while true {
                let count = nextFrame(into: rest(out, written))
                guard count > 0 else { break }
                written += count
            }
        }
        if written > handshakeBytes { lastSent = now }
        return written
    }

    /// Checks the time limits; true when ``produce(into:now:)`` has something to do because time passed.
    public mutating func tick(now: Milliseconds) throws(ProtocolViolation) -> Bool {
        switch phase {
        case .serialHandshake:
            return serial.tick(now: now)
        case .awaitingMark, .awaitingHandshake:
            if now - startedAt >= settings.handshakeTimeout { throw .handshakeTimeout }
            return false
        case .awaitingAuthentication:
            if now - startedAt >= settings.handshakeTimeout { throw .authenticationTimeout }
        case .awaitingDecision:
            lastReceived = now  // The owner is at work and does not read: the peer is not to blame for silence.
        case .running: break
        }
        if now - lastReceived >= silenceLimit { throw .silence }
        return now - lastSent >= keepAliveInterval
    }

    /// When ``tick(now:)`` has something to do, as far as it is known now; .max when only bytes matter.
    public var deadline: Milliseconds {
        let alive = min(lastReceived + silenceLimit, lastSent + keepAliveInterval)
        switch phase {
        case .serialHandshake: return serial.deadline ?? .max
        case .awaitingMark, .awaitingHandshake: return startedAt + settings.handshakeTimeout
        case .awaitingAuthentication: return min(startedAt + settings.handshakeTimeout, alive)
        case .awaitingDecision, .running: return alive
        }
    }

    private var keepAliveInterval: Milliseconds { settings.layout == .socket ? 10_000 : 150 }
    private var silenceLimit: Milliseconds { settings.idleTimeout ?? (settings.layout == .socket ? 20_000 : 250) }

    private func rest(_ out: UnsafeMutableRawBufferPointer, _ used: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: out[used...])
    }

    private mutating func produceHandshake(into out: UnsafeMutableRawBufferPointer) -> Int {
        guard settings.layout == .socket else {
            guard out.count > 0, let byte = serial.takeOutput() else { return 0 }
            out[0] = byte
            return 1
        }
        switch settings.side {
        case .listener:
            guard settings.isSecure, !hasSentMark, out.count > 0 else { return 0 }
            hasSentMark = true
            out[0] = SocketHandshake.tlsMark
            return 1
        case .client:
            if case .awaitingMark = phase { return 0 }
            guard !hasSentHandshake else { return 0 }
            let count = SocketHandshake(network: settings.network).encode(into: out)
            hasSentHandshake = count > 0
            return count
        }
    }

    private var canSendFrames: Bool {
        switch phase {
        case .awaitingMark, .awaitingHandshake, .serialHandshake: false
        default: settings.layout == .serial || settings.side == .listener || hasSentHandshake
        }
    }

    /// The upper end authenticates at once; the lower one waits for the upper one's authentication (1.5).
    private var mayAuthenticate: Bool { settings.side == .listener || direction == .down || peer != nil }

    private mutating func sendAuthentication(into out: UnsafeMutableRawBufferPointer) -> Int {
        var flags = settings.flags
        switch settings.side {
        case .client:
            if direction == .up { flags.insert(.connectUp) }
            if isBidirectional { flags.insert(.bidirectional) }
            if holdsBlocks { flags.insert(.continues) }
        case .listener:
            // Known only when the client's authentication came first (4.2).
            flags = []
            if peer != nil {
                if direction == .up { flags.insert(.connectUp) }
                if isBidirectional { flags.insert(.bidirectional) }
            }
        }
        let isAutomatic = settings.number == 0 || settings.number >= AutomaticNumber.request
        let sendsID = isAutomatic && settings.layout == .socket && settings.side == .client && direction == .up
        let message = Authentication(
            flags: flags, user: settings.user, number: settings.number, uniqueID: sendsID ? settings.uniqueID : nil,
            network: settings.network,
            password: settings.side == .client && settings.isSecure ? settings.password : PasswordText(),
            frameSize: UInt32(settings.frameSize))
        let count = sendSystem(blockID: message.frameSize, longest: Authentication.longest, into: out) {
            message.encode(into: $0)
        }
        hasSentAuthentication = count > 0
        return count
    }

    private mutating func nextFrame(into out: UnsafeMutableRawBufferPointer) -> Int {
        if !removals.isEmpty { return sendRemovals(into: out) }
        if let attachment = queue.nextInfo {
            let info = attachment.info
            let count = sendSystem(blockID: info.id, longest: BlockInfo.longest, into: out) { info.encode(into: $0) }
            if count > 0 {
                attachment.announcedSize = attachment.block.size
                queue.removeInfo()
            }
            return count
        }
        while let source = queue.nextSource {
            let count = source.nextFrame(
                into: out, number: nextNumber, layout: settings.layout, frameLimit: flow.frameLimit, room: flow.room,
                sent: flow.totalSent, acknowledged: flow.totalAcknowledged)
            guard let count else {
                queue.removeSource()
                continue
            }
            guard count > 0 else { return 0 }
            didSendFrame(count)
            queue.rotateSources()
            return count
        }
        return 0
    }

    private mutating func sendRemovals(into out: UnsafeMutableRawBufferPointer) -> Int {
        // Looked at before they are taken: the frame may have to wait for the window.
        let longest = 1 + Limit.removeIDs * 5
        guard flow.room >= longest + settings.layout.shortestHeader, out.count >= longest + 16 else { return 0 }
        var request = RemoveRequest()
        while request.count < Limit.removeIDs, let id = removals.first {
            _ = request.add(id)
            removals.removeFirst()
        }
        return sendSystem(blockID: UInt32(request.count), longest: longest, into: out) { request.encode(into: $0) }
    }

    /// Writes a system frame whose payload is at most `longest` bytes; 0 when it has to wait.
    private mutating func sendSystem(
        blockID: UInt32, longest: Int, into out: UnsafeMutableRawBufferPointer,
        _ encode: (UnsafeMutableRawBufferPointer) -> Int
    ) -> Int {
        let headerLength = FrameHeader.length(blockID: blockID, address: 0, layout: settings.layout)
        guard out.count >= headerLength + longest else { return 0 }
        let length = encode(UnsafeMutableRawBufferPointer(rebasing: out[headerLength...]))
        guard length > 0, headerLength + length <= min(flow.room, flow.frameLimit) else { return 0 }
        let header = FrameHeader(number: nextNumber, flags: .system, blockID: blockID, address: 0, dataSize: length)
        _ = header.encode(into: out, layout: settings.layout)
        let count = headerLength + length
        if settings.layout == .serial { FrameHeader.sealSerial(UnsafeMutableRawBufferPointer(rebasing: out[..<count])) }
        didSendFrame(count)
        return count
    }

    private mutating func didSendFrame(_ count: Int) {
        flow.didSend(count)
        nextNumber = nextNumber == Limit.lastFrameNumber ? 1 : nextNumber + 1
    }
}
