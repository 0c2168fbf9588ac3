import DeviceDescription
import IOCOM
import IONode
import NIOCore

extension OperatorSession {
    /// Observes which devices there are and what their lines in a list say.
    func observeDevices(interval: TimeAmount) -> (id: UInt64, Observer<DeviceChange>) {
        let news = DeviceNews()
        let observer = Observer(on: node.loop, interval: interval) { [unowned self] in news.take(from: self) }
        let id = addObserver { path in
            if let path { news.dirty.insert(path) }
            observer.touch()
        }
        return (id, observer)
    }

    /// Observes whether there is a connection.
    func observeConnection() -> (id: UInt64, Observer<ConnectionChange>) {
        var sent: ConnectionChange?
        let observer = Observer<ConnectionChange>(on: node.loop, interval: .zero) { [unowned self] in
            let now = ConnectionChange(lostBecause: closedBecause?.description)
            guard now != sent else { return nil }
            sent = now
            return now
        }
        return (addObserver { if $0 == nil { observer.touch() } }, observer)
    }

    /// Observes the signals of a device, without those that only move data.
    func observeSignals(of path: DevicePath, interval: TimeAmount) -> (id: UInt64, Observer<SignalChange>) {
        let news = SignalNews(path)
        let observer = Observer(on: node.loop, interval: interval) { [unowned self] in news.take(from: self) }
        return (addObserver { if $0 == path || $0 == nil { observer.touch() } }, observer)
    }

    /// Observes a part of a block.
    func observeMemory(
        _ block: BlockPath, _ range: Range<Int>, interval: TimeAmount
    ) -> (id: UInt64, Observer<MemoryPart>) {
        var sent: [UInt8]?
        let observer = Observer<MemoryPart>(on: node.loop, interval: interval) { [unowned self] in
            guard let device = devices[block.device], take([block.block], of: device),
                let memory = device.blocks[block.block]
            else { return nil }
            let bytes = memory.withBytes { span in
                span.withUnsafeBytes { Array($0[range.clamped(to: 0..<$0.count)]) }
            }
            guard bytes != sent else { return nil }
            sent = bytes
            return MemoryPart(block: block.block, offset: range.lowerBound, bytes: bytes)
        }
        return (addObserver { if $0 == block.device || $0 == nil { observer.touch() } }, observer)
    }
}

/// What one observer of the device list was told already.
private final class DeviceNews {
    var dirty: Set<DevicePath> = []
    private var hasSent = false
    private var sent: [DevicePath: DeviceSummary] = [:]
    private var sentReason: String?

    func take(from session: OperatorSession) -> DeviceChange? {
        let reason = session.closedBecause?.description
        guard hasSent else {
            hasSent = true
            sent = session.devices.filter { $0.value.isComplete }.mapValues(\.summary)
            sentReason = reason
            dirty = []
            return DeviceChange(
                isComplete: true, set: sent.values.sorted { $0.path < $1.path }, removed: [], lostBecause: reason)
        }
        var change = DeviceChange(isComplete: false, set: [], removed: [], lostBecause: reason)
        for path in dirty {
            if let device = session.devices[path] {
                guard device.isComplete else { continue }
                let summary = device.summary
                if sent[path] != summary {
                    change.set.append(summary)
                    sent[path] = summary
                }
            } else if sent.removeValue(forKey: path) != nil {
                change.removed.append(path.description)
            }
        }
        dirty = []
        guard !change.set.isEmpty || !change.removed.isEmpty || reason != sentReason else { return nil }
        sentReason = reason
        change.set.sort { $0.path < $1.path }
        return change
    }
}

/// What one observer of signals was told already.
private final class SignalNews {
    private let path: DevicePath
    private var sent: [SignalReading]?
    private weak var device: RemoteDevice?

    init(_ path: DevicePath) { self.path = path }

    func take(from session: OperatorSession) -> SignalChange? {
        guard let present = session.devices[path], let info = present.info else {
            defer { sent = [] }
            return sent?.isEmpty == true ? nil : .all([])
        }
        let blocks = info.signalBlocks
        _ = session.take(blocks.compactMap { BlockName($0.name) }, of: present)
        let readings = present.readings(of: blocks)
        guard let before = sent, device === present, before.count == readings.count else {
            sent = readings
            device = present
            return .all(readings)
        }
        let changed = zip(before, readings).enumerated().filter { $0.element.0 != $0.element.1 }
        guard !changed.isEmpty else { return nil }
        sent = readings
        return .some(changed.map { (index: $0.offset, reading: $0.element.1) })
    }
}

extension DeviceInfo {
    /// Blocks whose signals are values for people: not those of data streams and of pictures.
    var signalBlocks: [BlockDescription] {
        var pictures: Set<Substring> = []
        for assembly in assemblies {
            for prefix in [assembly.exported, assembly.imported] { pictures.insert(prefix.prefix { $0 != "." }) }
        }
        return blocks.filter { !$0.isConfiguration && !pictures.contains($0.name[...]) }
    }
}
