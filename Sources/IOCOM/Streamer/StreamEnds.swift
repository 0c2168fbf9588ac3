/// The writing end of a stream's ring: places bytes, knows what the reader confirmed.
struct StreamWriter {
    private(set) var ring: RingBuffer
    private(set) var checksum = CRC16()
    /// Bytes placed in the ring so far.
    private(set) var queued: UInt64 = 0
    /// Bytes the reader has moved over.
    private(set) var confirmed: UInt64 = 0

    init(_ port: StreamPort) { ring = RingBuffer(checkedSize: port.addresses.ringSize) }

    /// Copies as much of `bytes` as fits, at most `limit`, and sets `head`; gives the number of bytes taken.
    mutating func put(_ bytes: RawSpan, atMost limit: Int, _ port: StreamPort) -> Int {
        let runs = ring.spaceRuns(atMost: min(limit, bytes.byteCount))
        guard runs.count > 0 else { return 0 }
        let block = port.block(.buf)
        let first = bytes.extracting(0..<runs.first.count)
        block.write(first, at: port.address(runs.first).start)
        checksum.add(first)
        if !runs.second.isEmpty {
            let second = bytes.extracting(runs.first.count..<runs.count)
            block.write(second, at: port.address(runs.second).start)
            checksum.add(second)
        }
        port.markRing()
        ring.advanceHead(by: runs.count)
        queued += UInt64(runs.count)
        port.set(.head, ring.head)
        return runs.count
    }

    /// Looks at the reader's position; nil when it is impossible, else the number of bytes newly confirmed.
    mutating func noticeTail(_ port: StreamPort) -> Int? {
        guard let count = ring.acceptTail(port.value(.tail)) else { return nil }
        confirmed += UInt64(count)
        return count
    }
}

/// The reading end of a stream's ring: hands bytes out and frees them in a second step.
struct StreamReader {
    private(set) var ring: RingBuffer
    /// Of the bytes handed out. Added when they are handed out, so that it is the checksum of what the sink got, even
    /// if a second writer changes the ring afterwards.
    private(set) var checksum = CRC16()
    /// Bytes handed out that were not confirmed yet.
    private(set) var taken = 0
    /// Bytes confirmed so far.
    private(set) var confirmed: UInt64 = 0

    init(_ port: StreamPort) { ring = RingBuffer(checkedSize: port.addresses.ringSize) }

    /// Bytes that can be handed out.
    var readable: Int { ring.used - taken }

    /// Looks at the writer's position and, if there is data, at the state of the ring; false when either is impossible.
    mutating func noticeHead(_ port: StreamPort) -> Bool {
        ring.acceptHead(port.value(.head)) && (ring.used == 0 || port.isConnected(.buf))
    }

    mutating func take(atMost limit: Int, _ port: StreamPort, _ body: (RawSpan) -> Void) -> Int {
        let runs = ring.dataRuns(skipping: taken, atMost: limit)
        guard runs.count > 0 else { return 0 }
        var checksum = checksum
        port.block(.buf).withBytes { bytes in
            let first = port.address(runs.first)
            let span = bytes.extracting(first.start..<first.end)
            checksum.add(span)
            body(span)
            guard !runs.second.isEmpty else { return }
            let second = port.address(runs.second)
            let rest = bytes.extracting(second.start..<second.end)
            checksum.add(rest)
            body(rest)
        }
        self.checksum = checksum
        taken += runs.count
        return runs.count
    }

    mutating func confirm(_ count: Int, _ port: StreamPort) {
        let count = max(0, min(count, taken))
        guard count > 0 else { return }
        taken -= count
        confirmed += UInt64(count)
        ring.advanceTail(by: count)
        port.set(.tail, ring.tail)
    }
}
