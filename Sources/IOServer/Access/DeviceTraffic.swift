import Access
import DeviceDescription
import IOCOM
import IODevice
import IONode
import Programs

/// What passes through the server between operators and one device: who uses its streams, and what becomes of the blocks
/// that are written. Confined to the loop.
final class DeviceTraffic {
    /// The device.
    let path: DevicePath
    private let node: Node
    private let report: (TransferReport) -> Void
    private var description = DeviceWord()
    private var arbiter = StreamArbiter()
    private var watch: TransferWatch?
    /// The manifest that the same operator wrote last, for the name of the package that follows.
    private var package: (link: UInt64, name: String)?

    init(_ path: DevicePath, on node: Node, report: @escaping (TransferReport) -> Void) {
        self.path = path
        self.node = node
        self.report = report
    }

    /// Who writes a block at the moment.
    var writer: Visitor? { watch?.visitor }

    /// True when nothing of this has to be remembered once the device is gone.
    var isIdle: Bool { watch == nil }

    private func block(_ name: BlockName) -> MemoryBlock? { node.block(BlockPath(block: name, device: path)) }

    /// What the device says of itself, as far as its `info` block has come; nil when it says nothing that can be used.
    private var word: DeviceWord.Content? { description.content(of: block("info"), now: node.now) }
    private var known: GuardedSignals? { word?.signals }

    private func port(_ direction: StreamDirection) -> StreamPort? {
        guard let addresses = direction == .upload ? known?.upload : known?.download,
            let device = block("conf_exp"), let controller = block("conf_imp")
        else { return nil }
        do throws(StreamPortError) {
            return try StreamPort(controllerBlock: controller, deviceBlock: device, addresses: addresses)
        } catch { return nil }
    }

    /// The server itself, among those who use streams.
    static let server: UInt64 = 0

    /// The stream for uploads, for the server itself; nil while an operator uses it or the device has not told enough.
    func claimUpload() -> StreamPort? {
        guard let port = port(.upload), port.deviceBlock.isFed, arbiter.claimUpload(Self.server, now: node.now) else {
            return nil
        }
        return port
    }

    /// The server does not use it any more.
    func releaseUpload() { arbiter.forget(Self.server) }

    // MARK: Before something is written

    /// What an operator's proposal is refused. `needs` tells which right a block takes.
    func review(
        _ proposal: SnapshotProposal, by link: NodeLink, _ context: LinkContext,
        needs: (StreamDirection, Int) -> Operation?
    ) -> (refused: RangeSet, findings: [StreamArbiter.Finding], commands: [GuardedSignals.Command]) {
        let access = context.access
        let all = ByteRange(0, proposal.block.size)
        guard let known else {
            // Without the device's word nothing can be told apart: only who may do everything with devices gets through.
            var refused = RangeSet()
            if !(access.allows(.writePrograms) && access.allows(.writeConfiguration)) { refused.add(all) }
            return (refused, [], [])
        }
        guard proposal.block.path.block == "conf_imp" else {
            let refused = known.refused(in: proposal.block.path.block, size: proposal.block.size, access)
            let commands = known.commands(in: proposal).filter { access.allows($0.operation) }
            return (refused, [], commands)
        }
        var refused = RangeSet()
        var findings: [StreamArbiter.Finding] = []
        // What lies beside the streams is a setting like any other.
        if !access.allows(.setSignals) { refused.add(known.outsideStreams(size: proposal.block.size)) }
        for direction in [StreamDirection.upload, .download] {
            guard let port = port(direction) else {
                // Its other half is not there, or what the device says of it can't be: nobody can use it.
                for range in known.controllersRanges(direction) { refused.add(range) }
                continue
            }
            let finding = arbiter.review(
                proposal, port.addresses, by: link.id, now: node.now, may: { access.allows($0) }, needs: needs,
                isWorking: { _ in port.value(.state) == 1 }, refused: &refused)
            guard let finding else { continue }
            findings.append(finding)
            if case .began(.upload, let block) = finding { begin(block, link, context.visitor) }
        }
        return (refused, findings, [])
    }

    private func begin(_ block: Int, _ link: NodeLink, _ visitor: Visitor) {
        if let watch { finish(watch, .unknown, "another transfer began", version: "") }
        var next = TransferWatch(visitor, link: link.id, block: block, now: node.now)
        if block == PersistentBlock.program, let package, package.link == link.id { next.package = package.name }
        watch = next
    }

    // MARK: After it

    /// A block of the device has new content.
    func changed(_ block: MemoryBlock) {
        if block.path.block == "info" { description.changed() }
        guard watch != nil else { return }
        if block.path.block == "conf_imp", let port = port(.upload) { watch?.controllerWrote(port, now: node.now) }
        turn()
    }

    /// Looks at the transfer; to be called now and then, and when something changed.
    func turn() {
        guard var watch else { return }
        let update = update
        let result = watch.turn(port(.upload), update: update, now: node.now)
        self.watch = watch
        guard let result else { return }
        self.watch = nil
        if watch.block == PersistentBlock.manifest, result.result == .stored {
            package = (watch.link, Self.name(of: watch.manifest))
        }
        finish(watch, result.result, result.text, version: update?.version ?? "")
    }

    private func finish(_ watch: TransferWatch, _ result: TransferReport.Result, _ text: String, version: String) {
        report(watch.report(path, result, text, version: version, now: node.now))
    }

    /// A connection ended: its streams are free.
    func forget(_ link: UInt64) {
        arbiter.forget(link)
        if watch?.link == link { watch?.controllerLeft(now: node.now) }
        if package?.link == link { package = nil }
        turn()
    }

    /// The device is gone; what it says of itself may be different when it comes back.
    func deviceLeft() {
        description = DeviceWord()
        arbiter = StreamArbiter()
        turn()
    }

    private var update: (phase: UpdatePhase, text: String, version: String)? {
        guard let exported = block("exp"), let info = word?.info,
            let state = info.signal("upd_state", in: "exp")?.signal,
            case .integer(let number)? = state.value(in: exported), let phase = UpdatePhase(rawValue: number)
        else { return nil }
        func text(_ name: String) -> String {
            guard case .text(let text)? = info.signal(name, in: "exp")?.signal.value(in: exported) else { return "" }
            return text
        }
        return (phase, text("upd_error"), text("upd_version"))
    }

    private static func name(of manifest: [UInt8]) -> String {
        do throws(SignedManifest.ParseError) {
            let package = try SignedManifest(parsing: manifest).manifest
            return [
                package.organization, package.application, "\(package.version)", package.os, package.hardware,
            ].joined(separator: "-")
        } catch { return "" }
    }
}
