import DeviceDescription
import IOCOM
import IODevice
public import Installers
import NIOCore
import NIOPosix

/// The program that a server is, where it can be replaced over the network.
public struct ServerProgram: Sendable {
    /// How it is replaced.
    public var updatable: any UpdatableProgram
    /// Version that runs.
    public var version: String
    /// How many keys packages are checked with.
    public var keyCount: @Sendable () throws -> Int

    /// Composes a program.
    public init(
        _ updatable: any UpdatableProgram, version: String, keyCount: @escaping @Sendable () throws -> Int
    ) {
        self.updatable = updatable
        self.version = version
        self.keyCount = keyCount
    }
}

/// What the `update` signals of a server say about its own program, and the proof of a new one: a server that accepts
/// connections has proved itself. Confined to the loop; what blocks is done elsewhere.
final class ServerUpdate {
    private let program: ServerProgram
    private let device: OwnDevice
    private let loop: any EventLoop
    private let report: @Sendable (ServerEvent) -> Void
    private var state = UpdateReport(.idle, slotSize: 1)
    private var commands = CommandWatch(["upd_confirm", "upd_rollback"])
    private var hasAccepted = false
    /// It was started while the machine's installer was at work, which nobody here hears of: it has to be asked.
    private var waitsForInstaller = false
    private var isAsking = false

    init(
        _ program: ServerProgram, of device: OwnDevice, on loop: any EventLoop,
        report: @escaping @Sendable (ServerEvent) -> Void
    ) {
        self.program = program
        self.device = device
        self.loop = loop
        self.report = report
        offLoop({ program in try program.updatable.findings() }) { update, found in
            update.state = UpdateReport(
                found.phase, error: found.error, text: found.text, slotSize: update.program.updatable.capacity)
            update.waitsForInstaller = found.phase == .installing
            update.show()
            if found.phase == .proving {
                update.report(.update(.proving, reason: "version \(update.program.version)"))
                if update.hasAccepted { update.confirm() }
            }
        }
    }

    /// True as long as the program that runs has to prove itself.
    var isOnTrial: Bool { state.phase == .proving }

    /// Follows an upload.
    func note(_ event: ControlStreamEvent) {
        let before = state
        state.note(event, text: program.updatable.installerText)
        if case .stored(PersistentBlock.program, .restart) = event {
            state.set(.restarting)
            letRestart()
        }
        guard state != before else { return }
        if state.phase != before.phase, state.phase != .receiving || before.phase != .receiving {
            report(.update(state.phase, reason: state.error))
        }
        show()
    }

    /// To be called now and then.
    func tick() {
        if waitsForInstaller, !isAsking { askInstaller() }
        guard program.updatable.isInstalling else { return }
        let before = state
        state.noteInstalling(text: program.updatable.installerText)
        guard state != before else { return }
        if state.phase != before.phase { report(.update(state.phase, reason: "")) }
        show()
    }

    /// Asks how an installation ended that began before this start.
    private func askInstaller() {
        isAsking = true
        offLoop({ program in try? program.updatable.findings() }) { update, found in
            update.isAsking = false
            guard let found, found.phase != .installing else { return }
            update.waitsForInstaller = false
            guard update.state.phase == .installing else { return }
            update.state.noteInstalling(text: found.text)
            update.state.set(found.phase, error: found.error)
            update.report(.update(found.phase, reason: found.error))
            update.show()
        }
    }

    /// Somebody could connect.
    func accepted() {
        hasAccepted = true
        if isOnTrial { confirm() }
    }

    /// A snapshot of `imp` came.
    func imported() {
        for command in commands.risen(in: blocks) {
            switch command {
            case "upd_confirm": if isOnTrial { confirm() }
            case "upd_rollback": goBack()
            default: break
            }
        }
    }

    private func confirm() {
        offLoop({ program in try program.updatable.confirm() }) { update, confirmation in
            // It is asked again for those who have to wait: connections are tried as long as the trial goes on.
            guard update.isOnTrial, case .confirmed(let note) = confirmation else { return }
            update.state.set(.confirmed)
            update.report(.update(.confirmed, reason: note ?? ""))
            update.show()
        }
    }

    private func goBack() {
        report(.update(.restarting, reason: "an operator wants the program before"))
        state.set(.restarting, error: "\(program.version) is rolled back: an operator asked for it")
        show()
        offLoop({ program in try program.updatable.goBack("an operator asked for it") }) { update, _ in
            update.letRestart()
        }
    }

    /// Tells who restarts the server that it may, once the operators know.
    private func letRestart() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        Farewell.wait(on: loop) { [device] in device.isDrained }.whenSuccess {
            bound.value.offLoop({ $0.updatable.mayRestart() }) { _, _ in }
        }
    }

    private var blocks: DeviceBlocks { device.blocks }

    private func show() {
        set(("upd_state", .integer(state.phase.rawValue)))
        set(("upd_progress", .integer(state.progress)))
        set(("upd_error", .text(state.error)))
        set(("upd_text", .text(state.text)))
        // Who sees the state sees whose it is.
        set(("upd_version", .text(program.version)))
        set(("si_package", .text(program.version)))
        set(("upd_slot", .text(program.updatable.slotName)))
        blocks.publish()
        offLoop({ program in
            // Keys that can't be read let no package through: one that nobody has.
            (program.updatable.previousVersion() ?? "", (try? program.keyCount()) ?? 1)
        }) { update, found in
            update.set(("upd_previous", .text(found.0)))
            update.set(("upd_keys", .integer(Int64(found.1))))
            update.blocks.publish()
        }
    }

    private func set(_ value: (String, SignalValue)) { blocks.set(value.0, value.1) }

    /// Does something that blocks, then goes on here. What fails is said to everybody and changes nothing.
    private func offLoop<Value: Sendable>(
        _ work: @escaping @Sendable (ServerProgram) throws -> Value, then body: @escaping (ServerUpdate, Value) -> Void
    ) {
        let bound = NIOLoopBound((self, body), eventLoop: loop)
        let program = program
        NIOThreadPool.singleton.runIfActive(eventLoop: loop) { try work(program) }.whenComplete { result in
            let (update, body) = bound.value
            switch result {
            case .success(let value): body(update, value)
            case .failure(let error):
                update.state.set(.failed, error: "\(error)")
                update.report(.update(.failed, reason: "\(error)"))
                update.set(("upd_state", .integer(update.state.phase.rawValue)))
                update.set(("upd_error", .text(update.state.error)))
                update.blocks.publish()
            }
        }
    }
}
