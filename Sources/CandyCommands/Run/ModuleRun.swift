import Bricks
import DeviceDescription
import DeviceStorage
import Discovery
import IOCOM
import IOCOMTransport
import IODevice
import IONode
import Installers
import NIOCore
import NIOPosix
import TerminalUI

/// One run of a module: from the start of its program to the next restart.
///
/// Everything that happens comes as one sequence of inputs and is handled one after the other; work on the flash is done
/// on a thread of its own meanwhile, signals are set on the device's loop.
final class ModuleRun {
    enum Ending: Equatable {
        case stopped
        case restart(String)
    }

    enum Input: Sendable {
        case device(DeviceEvent)
        case selfTestEnded(passed: Bool)
        /// What the signals `set_nc_…` say.
        case wanted([String: String])
        case tick
        /// What the machine's installer says now; nil when it does not answer.
        case installer(UpdateFindings?)
        case stop
    }

    /// How often the time is looked at, and the values of the process change every fifth time.
    private static let tick = Duration.milliseconds(200)

    let settings: CandySettings
    let module: BootedModule
    let log: EventLog
    private let device: NIOLoopBound<Device>
    private let loop: any EventLoop
    private let started = ContinuousClock.now
    private var ticks: Int64 = 0
    private var connections: Int64 = 0
    private var whyDisconnected: String?
    var report: UpdateReport
    var proving: Proving?
    /// It has proved itself, others of its package have not.
    var waitsForOthers = false
    /// It was started while the machine's installer was at work, which nobody here hears of: it has to be asked.
    var waitsForInstaller: Bool
    var asksInstaller = false
    private(set) var feed: AsyncStream<Input>.Continuation?
    private var shown: UpdateReport?
    let keeper: ConfigurationKeeper
    /// What the stored configuration comes to.
    let configuration: ModuleConfiguration
    /// What the command line says.
    let commandLine: CandySettings
    var proof: ConfigurationProof?
    var notes: DeviceNotes
    var watch: SettingsWatch
    /// What an operator hears of the configuration beyond what the keeper says.
    var configurationProblem = ""
    /// When to restart for an operator: what was set before is saved first.
    var restartAt: Milliseconds?
    /// Whom it believes to be its server.
    let trust: ModuleTrust
    /// It has nothing to trust and can do nothing before it is given something.
    let isUnpaired: Bool
    /// Until when new certificates have to prove themselves.
    var trustDeadline: Milliseconds?
    /// The certificate whose code was shown last.
    var shownCertificate: [UInt8]?
    /// What it shows to its server.
    let password: PasswordText

    init(_ settings: CandySettings, _ module: BootedModule, log: EventLog, on loop: any EventLoop) async throws {
        self.module = module
        self.log = log
        self.loop = loop
        let found = try await Self.offLoop { try module.updatable?.findings() ?? UpdateFindings(.idle) }
        let beginning = try await Self.offLoop {
            try ConfigurationStart(
                settings, module.store, programIsOnTrial: found.phase == .proving, log: log)
        }
        commandLine = beginning.started
        keeper = beginning.keeper
        configuration = beginning.configuration
        notes = beginning.notes
        trust = beginning.trust
        watch = SettingsWatch(taken: beginning.notes.settings)
        let settings = beginning.configuration.settings
        self.settings = settings
        let isOnTrial = beginning.isOnTrial
        let (secret, isNew) = try await Self.offLoop { try DeviceSecret.load(from: module.store) }
        if isNew { log.note("secret", "a new secret was made: to its server this is a new device") }
        password = settings.password ?? secret.password
        report = UpdateReport(
            found.phase, error: found.error, text: found.text, slotSize: module.updatable?.capacity ?? 1)
        waitsForInstaller = found.phase == .installing
        let updates = module.updatable.map { $0.installerText == nil ? UpdateSignals.basic : .withText }
        let pictures = try await Self.offLoop { settings.pictures.map { PictureFolder($0, log: log) } }
        // A trial must not end only because the next attempt to connect would have come later.
        let trials = [
            found.phase == .proving ? settings.confirmWithin : nil, isOnTrial ? settings.configurationWithin : nil,
            trust.standing == .onTrial ? settings.configurationWithin : nil,
        ]
        var longest = trials.compactMap { $0 }.min().map { $0 / 8 } ?? settings.pause.upperBound
        isUnpaired = trust.standing == .unpaired && settings.address.transport == .tls
        let isUnpaired = isUnpaired
        if isUnpaired { longest = min(longest, Self.longestPairingPause) }
        let pause = settings.pause.lowerBound...max(settings.pause.lowerBound, min(settings.pause.upperBound, longest))
        let keeper = keeper
        let obeyed = notes.commands
        let defaults = try commandLine.defaultsBlock()
        var server = ServerConnection(
            server: isUnpaired ? try Self.pairingAddress(settings.address, commandLine.address) : settings.address,
            tls: settings.tls, password: password, pause: pause)
        server.others = settings.otherAddresses
        server.tlsWhenFound = trust.standing == .given ? settings.tlsWhenFound : trust.client
        if isUnpaired { server.flags = .wantsCertificate }
        let connection = server
        device = try await loop.submit {
            let device = try Device(
                identity: NodeIdentity(
                    name: UserName((settings.configuredName ?? settings.name).description) ?? UserName(),
                    number: settings.number,
                    network: settings.network,
                    uniqueID: settings.hasAutomaticNumber ? secret.uniqueID : nil),
                info: try ModuleSignals.info(
                    settings, updates: updates, pictureBuffer: pictures?.capacity ?? StandardCamera.buffer),
                service: isUnpaired
                    ? PairingBlockService(TrustKeeper(module.store))
                    : DeviceBlockService(
                        store: module.store, defaults: defaults, installer: module.updatable?.installer,
                        configuration: keeper),
                server: connection, commands: ModuleSignals.commands, obeyed: obeyed,
                camera: Camera(pictures ?? TestPattern()), on: loop)
            return NIOLoopBound(device, eventLoop: loop)
        }.get()
        if isOnTrial { beginConfigurationTrial() }
        if trust.standing == .onTrial { trustDeadline = now + settings.configurationWithin }
    }

    static func offLoop<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await NIOThreadPool.singleton.runIfActive(body)
    }

    /// Milliseconds since the start.
    var now: Milliseconds {
        let (seconds, attoseconds) = (ContinuousClock.now - started).components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }

    // MARK: Running

    /// Runs until a restart is wanted or `stop` is requested.
    func run(until stop: StopRequest) async throws -> Ending {
        let (inputs, feed) = AsyncStream.makeStream(of: Input.self)
        self.feed = feed
        let events = try await loop.submit { [device] in device.value.events }.get()
        stop.notify { feed.yield(.stop) }
        let isUnpaired = isUnpaired
        try await loop.submit { [device] in
            // Who is not known to be the server gives no commands.
            guard !isUnpaired else { return }
            device.value.imported = { blocks in
                ModuleSignals.follow(blocks)
                feed.yield(.wanted(ModuleSignals.wanted(blocks)))
            }
        }.get()
        await beginTrial()
        let isMute = module.behaviour.neverConnects
        let selfTest = module.behaviour.selfTest
        let selfTestTime = module.selfTestTime
        let fixed = ModuleSignals.fixed(settings, version: module.version)
        try await show(fixed + [("nc_status", .integer(5))])
        try await showConfiguration()
        try await showUpdate()
        try await loop.submit { [device] in if !isMute { device.value.start() } }.get()
        let ending = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await event in events { feed.yield(.device(event)) } }
            group.addTask {
                while !Task.isCancelled {
                    try await Task.sleep(for: Self.tick)
                    feed.yield(.tick)
                }
            }
            group.addTask {
                try await Task.sleep(for: selfTestTime)
                if selfTest != .neverEnds { feed.yield(.selfTestEnded(passed: selfTest == .passes)) }
            }
            defer { group.cancelAll() }
            for await input in inputs {
                if let ending = try await handle(input) { return ending }
            }
            return Ending.stopped
        }
        if case .restart = ending {
            try await showConfiguration()
            try await leave()
        }
        // First the power, so that a transfer under way cannot go on writing.
        module.switchOff()
        try await loop.submit { [device] in device.value.stop() }.get()
        return ending
    }

    private func beginTrial() async {
        guard report.phase == .proving, let updatable = module.updatable else { return }
        let hasWayBack = (try? await Self.offLoop { updatable.previousVersion() != nil }) ?? false
        let limit = (try? await Self.offLoop { updatable.trialLeft() }) ?? settings.confirmWithin
        proving = Proving(limit: limit, hasWayBack: hasWayBack, now: now)
        let seconds = limit / 1000
        log.note("proving", "the new program \(module.version) has \(seconds) s to prove itself")
    }

    private func handle(_ input: Input) async throws -> Ending? {
        switch input {
        case .stop: return .stopped
        case .tick:
            ticks += 1
            if ticks % 5 == 0 {
                try await show(ModuleSignals.process(seconds: now / 1000))
                if let ending = try await confirmWithOthers() { return ending }
                askInstaller()
            }
            if let updatable = module.updatable, updatable.isInstalling {
                report.noteInstalling(text: updatable.installerText)
                try await showUpdate()
            }
            if let ending = try await lookAtConfiguration() { return ending }
            if let ending = try await lookAtTrust() { return ending }
            return try await prove(.time)
        case .installer(let found):
            try await heard(found)
            return nil
        case .wanted(let values):
            watch.note(values, now: now)
            return nil
        case .selfTestEnded(let passed): return try await prove(.selfTest(passed: passed))
        case .device(.met(let certificate, let server)):
            met(certificate, at: server)
            return nil
        case .device(.connected(let server)):
            connections += 1
            whyDisconnected = nil
            log.note("connected", "connected to \(server)", [("server", .string(server))])
            try await show([
                ("nc_status", .integer(0)), ("rm_connects", .integer(connections & 0xFFFF)),
                ("rm_sockets", .integer(1)),
            ])
            try await proveConfiguration()
            try await proveTrust()
            return try await prove(.connected)
        case .device(.disconnected(let reason)):
            // A server that stays away is one event, however often it is tried.
            if reason != whyDisconnected {
                log.note("disconnected", "not connected: \(reason)", [("reason", .string(reason))])
            }
            whyDisconnected = reason
            try await show([("nc_status", .integer(5)), ("rm_sockets", .integer(0))])
            return try await prove(.disconnected)
        case .device(.command(let command)): return isUnpaired ? nil : try await obey(command)
        case .device(.stream(let event)):
            if case .stored(PersistentBlock.configuration, _) = event { try await showSavedConfiguration() }
            if case .stored(PersistentBlock.nodeSettings, _) = event { try await showSavedConfiguration() }
            return try await follow(event)
        }
    }

    private func obey(_ command: String) async throws -> Ending? {
        log.note("command", "an operator set \(command)", [("command", .string(command))])
        switch command {
        case "upd_confirm": return try await prove(.confirmedByOperator)
        case "upd_rollback":
            guard proving == nil || proving?.isOver == true else { return try await prove(.rolledBackByOperator) }
            return try await rollBack("an operator asked for it")
        default: return try await obeyConfiguration(command)
        }
    }

    // MARK: Signals

    /// Sets signals of `exp`.
    func show(_ values: [(String, SignalValue)]) async throws {
        try await loop.submit { [device] in
            device.value.update { blocks in
                for (name, value) in values { blocks.set(name, value) }
            }
        }.get()
    }

    /// Sets the update signals when they changed.
    func showUpdate() async throws {
        guard let updatable = module.updatable, report != shown else { return }
        let isNewPhase = report.phase != shown?.phase
        shown = report
        var values: [(String, SignalValue)] = [
            ("upd_state", .integer(report.phase.rawValue)), ("upd_progress", .integer(report.progress)),
            ("upd_error", .text(report.error)), ("upd_text", .text(report.text)),
        ]
        if isNewPhase {
            let previous = try await Self.offLoop { updatable.previousVersion() ?? "" }
            // Keys that can't be read let no package through: one that nobody has.
            let keys = try await Self.offLoop { [settings] in (try? Int64(settings.trustedKeys().count)) ?? 1 }
            values += [
                ("upd_version", .text(module.version)), ("upd_previous", .text(previous)),
                ("upd_slot", .text(updatable.slotName)),
                ("upd_keys", .integer(keys)),
            ]
        }
        try await show(values)
    }

    /// Gives the last snapshots time to reach the operator.
    func leave() async throws {
        try await loop.flatSubmit { [device, loop] in Farewell.wait(on: loop) { device.value.isDrained } }.get()
    }
}
