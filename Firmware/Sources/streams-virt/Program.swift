import IOCOM
import VirtBoard

// The smallest device: core, one serial connection, both control streams. Its persistent block 14 lives in RAM, up to 512
// bytes. What a part needs that gets its programs in another way; scripts/firmware watches how large it is.

/// Blocks and streams of the device.
private struct Streams {
    let exported: MemoryBlock
    let imported: MemoryBlock
    var receiver: UploadReceiver
    var sender: DownloadSender
    private var value = InlineArray<512, UInt8>(repeating: 0)
    private var size = 0
    private var draft = InlineArray<512, UInt8>(repeating: 0)
    private var draftSize = 0
    private var sent = 0

    private static var block: Int { 14 }

    init?(_ device: DevicePath) {
        do throws(StreamPortError) {
            let layout = try StandardStreams(uploadRing: 1025, downloadRing: 257)
            exported = Self.block("conf_exp", .up, layout.deviceBlockSize, device)
            imported = Self.block("conf_imp", .down, layout.controllerBlockSize, device)
            let upload = try StreamPort(
                controllerBlock: imported, deviceBlock: exported, addresses: layout.upload)
            let download = try StreamPort(
                controllerBlock: imported, deviceBlock: exported, addresses: layout.download)
            receiver = UploadReceiver(port: upload)
            sender = DownloadSender(port: download)
            upload.initializeDevice()
            download.initializeDevice()
        } catch { return nil }
        exported.publish()
    }

    static func block(_ name: BlockName, _ flags: BlockFlags, _ size: Int, _ device: DevicePath) -> MemoryBlock {
        MemoryBlock(path: BlockPath(block: name, device: device), flags: flags, memory: take(size))
    }

    /// False when nothing can be done before the next snapshot leaves.
    private mutating func turnUpload(_ now: Milliseconds) -> Bool {
        while true {
            switch receiver.turn(now: now, connected: imported.isFed) {
            case .idle, .wait: return true
            case .publishAndTurn: return false
            case .begin(let select):
                draftSize = 0
                if select == Self.block { receiver.accept(now: now) } else { receiver.refuse(.noAccess) }
            case .data:
                var hasRoom = true
                let taken = receiver.takeReadable { span in
                    for i in 0..<span.byteCount {
                        guard draftSize < 512 else {
                            hasRoom = false
                            return
                        }
                        draft[draftSize] = span.unsafeLoad(fromByteOffset: i, as: UInt8.self)
                        draftSize += 1
                    }
                }
                if hasRoom { receiver.confirm(taken, now: now) } else { receiver.fail(.discFull) }
            case .finish:
                for i in 0..<draftSize { value[i] = draft[i] }
                size = draftSize
                receiver.settle(.completed)
            case .abandon: break
            }
        }
    }

    private mutating func turnDownload(_ now: Milliseconds) {
        while true {
            switch sender.turn(now: now, connected: imported.isFed) {
            case .idle, .wait, .publishAndTurn: return
            case .begin(let select):
                sent = 0
                if select == Self.block { sender.accept() } else { sender.refuse(.readFailed) }
            case .fill(let space):
                if sent == size {
                    sender.end(now: now)
                } else {
                    guard space > 0 else { return }
                    sent += sender.put(value.span.bytes.extracting(sent..<size), maxChunk: 128, now: now)
                }
            case .finished: break
            }
        }
    }

    mutating func turn(_ now: Milliseconds) {
        // A change that must leave alone waits until what was published before has left.
        guard exported.isDrained || !exported.hasUnpublishedChanges else { return }
        if turnUpload(now) { turnDownload(now) }
        exported.publish()
    }
}

private func take(_ size: Int) -> LentMemory {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 8)
    for i in 0..<size { memory[i] = 0 }
    return LentMemory(memory, release: { $0.deallocate() })
}

@main enum Program {
    static func main() {
        VirtBoard.start()
        let device = DevicePath(name: "small", number: 1, network: "cafenet")
        guard var streams = Streams(device) else { VirtBoard.reset() }
        var connection = Connection(
            ConnectionSettings(
                side: .client, direction: .up, layout: .serial, isSecure: false, user: "small", number: 1,
                network: "cafenet", lend: { take($0) }),
            tag: 1, wakeList: WakeList(), now: VirtBoard.milliseconds)
        var input = InlineArray<96, UInt8>(repeating: 0)
        var output = InlineArray<128, UInt8>(repeating: 0)
        while true {
            VirtBoard.feedWatchdog()
            let now = VirtBoard.milliseconds
            var room = input.mutableSpan
            let count = room.withUnsafeMutableBytes { VirtUART.read(into: $0) }
            do throws(ProtocolViolation) {
                var at = 0
                let bytes = input.span.bytes.extracting(first: count)
                while let event = try connection.receive(bytes, at: &at, now: now) {
                    switch event {
                    case .authenticated:
                        connection.announce(streams.exported)
                        connection.announce(streams.imported)
                    case .blockInfo(let info):
                        if info.path == streams.exported.path { connection.bind(info, to: streams.exported) }
                        if info.path == streams.imported.path { connection.bind(info, to: streams.imported) }
                    case .blockChanged, .handshake, .blockRemoved: break
                    }
                }
                _ = try connection.tick(now: now)
            } catch { connection.restart(holdingBlocks: false, now: now) }
            streams.turn(now)
            var out = output.mutableSpan
            let produced = out.withUnsafeMutableBytes { connection.produce(into: $0, now: now) }
            var sent = 0
            while sent < produced {
                sent += output.span.withUnsafeBytes {
                    VirtUART.write(UnsafeRawBufferPointer(rebasing: $0[sent..<produced]))
                }
                if sent < produced { VirtBoard.idle() }
            }
            if count == 0, produced == 0 { VirtBoard.idle() }
        }
    }
}
