import FirmwareCrypto
import FirmwareImages
public import FirmwareStorage
public import IOCOM

/// An IO device on one serial line, for microcontrollers: standard blocks, control streams, persistent blocks, update of
/// its own program with trial and way back. Bytes and time in, bytes out; the board around it is a loop:
///
/// ```
/// while true {
///     device.receive(bytesOfTheLine, now: board.now)
///     if device.step(now: board.now) == .restart { board.reset() }
///     board.send(device.produce(into: buffer, now: board.now))
///     board.feedWatchdog(); board.sleep()
/// }
/// ```
///
/// Memory is taken while it starts and while it connects for the first time. After that nothing is allocated as long as the
/// server asks for the same blocks, however long and often the line fails.
public struct FirmwareDevice<Area: FlashArea>: ~Copyable {
    /// What the board has to do.
    public enum Wish: Equatable, Sendable {
        /// Go on.
        case none
        /// Reset the machine: everything is stored and said.
        case restart
    }

    /// Time for a new program to reach its server.
    public static var trial: Milliseconds { 60_000 }
    /// Blocks of a connection that broke are held so long; transfers go on when it comes back.
    public static var holding: Milliseconds { 2_000 }
    /// Between the last thing that is said and the reset.
    private static var farewell: Milliseconds { 400 }
    private static var longestFarewell: Milliseconds { 4_000 }

    private let blocks: DeviceBlocks
    private var connection: Connection
    private let wakeList: WakeList
    private let transfers: DeviceTransfers<Area>
    private let startedAt: Milliseconds
    private var hasSelfTestPassed: Bool
    private var trialEnds: Milliseconds?
    private var phase: FirmwarePhase
    private var brokenSince: Milliseconds?
    private var restartAt: Milliseconds?
    private var restartLatest: Milliseconds = 0
    private var nextSecond: Milliseconds
    private var seconds: UInt64 = 0
    private let pace: UInt64
    private var connects: UInt64 = 0
    private var received: UInt64 = 0
    private var sent: UInt64 = 0
    /// Commands as they stood when the server told of them first: what was set before this start is not obeyed again.
    private var commands = Commands()
    private var knowsCommands = false
    /// Set by the board before ``step(now:)``.
    public var heap = HeapUse()

    private struct Commands {
        var reboot = false
        var rollBack = false
    }

    /// Starts the device from its flash. `started` is what the boot loader says that it started; nil where it says nothing.
    /// `selfTest` is what the program found out about itself; a program on trial that fails it is given up.
    public init(
        _ identity: FirmwareIdentity, flash: FirmwareFlash<Area>, started: StartedSlot? = nil, selfTest: Bool = true,
        now: Milliseconds
    ) throws(FirmwareProblem) {
        let records: SlotRecords<Area>
        do { records = try SlotRecords(flash.records) } catch { throw .flash(error) }
        let log: BlockLog<Area>
        do { log = try BlockLog(flash.blocks) } catch { throw .blocks(error) }
        let choice = records.choice
        let running = started?.slot ?? choice.boot
        // What runs says what may follow: the same application for the same board at the same address.
        guard let own = SlotInstaller<Area>.descriptor(in: running == 0 ? flash.slots.0 : flash.slots.1) else {
            throw .descriptor
        }

        let path = DevicePath(name: identity.name, number: identity.number, network: identity.network)
        let blocks: DeviceBlocks
        let ports: (StreamPort, StreamPort)
        do throws(StreamPortError) {
            let streams = try StandardStreams(uploadRing: 1025, downloadRing: 257)
            blocks = DeviceBlocks(path, streams)
            ports = (
                try StreamPort(
                    controllerBlock: blocks.configurationImport, deviceBlock: blocks.configurationExport,
                    addresses: streams.upload),
                try StreamPort(
                    controllerBlock: blocks.configurationImport, deviceBlock: blocks.configurationExport,
                    addresses: streams.download)
            )
        } catch { throw .memory }
        var letters = InlineArray<15, UInt8>(repeating: 0)
        for i in 0..<identity.name.count { letters[i] = identity.name[i] }
        guard let user = UserName(letters.span.bytes, offset: 0, length: identity.name.count) else { throw .memory }

        // From here on nothing fails.
        self.blocks = blocks
        transfers = DeviceTransfers(
            installer: SlotInstaller(
                flash.slots.0, flash.slots.1, records: records,
                target: ImageTarget(
                    application: own.application, os: own.os, hardware: own.hardware,
                    largest: UInt32(truncatingIfNeeded: min(flash.slots.0.size, flash.slots.1.size)),
                    loadAddress: own.loadAddress),
                started: started),
            log: log,
            manifestTarget: ManifestTarget(
                application: own.application, os: own.os, hardware: own.hardware, version: own.version),
            upload: ports.0, download: ports.1)
        let wakeList = WakeList()
        self.wakeList = wakeList
        connection = Connection(
            ConnectionSettings(
                side: .client, direction: .up, layout: .serial, isSecure: false, user: user, number: identity.number,
                network: identity.network, lend: { DeviceMemory.take($0) }),
            tag: 1, wakeList: wakeList, now: now)
        startedAt = now
        pace = identity.pace
        nextSecond = now
        hasSelfTestPassed = selfTest
        trialEnds = transfers.installer.isOnTrial ? now + Self.trial : nil
        if !transfers.installer.recordsAreRight {
            phase = .failed
        } else if transfers.installer.isOnTrial {
            phase = .proving
        } else {
            phase = choice.goneBack == .no ? .idle : .rolledBack
        }
        showFixed(own, identity)
        switch phase {
        case .proving: showUpdate(progress: 100)
        case .rolledBack: showUpdate(progress: 0, error: choice.goneBack.text)
        case .failed: showUpdate(progress: 0, error: SlotProblem.records.text)
        default: showUpdate(progress: 0)
        }
        showSlots()
        blocks.exported.publish()
    }

    // MARK: The line

    /// Takes bytes that came.
    public mutating func receive(_ bytes: RawSpan, now: Milliseconds) {
        guard bytes.byteCount > 0 else { return }
        received += UInt64(truncatingIfNeeded: bytes.byteCount)
        var at = 0
        do throws(ProtocolViolation) {
            while let event = try connection.receive(bytes, at: &at, now: now) { handle(event, now) }
        } catch { lineBroke(now) }
    }

    /// Writes what is to be sent into `out`; gives how many bytes.
    public mutating func produce(into out: UnsafeMutableRawBufferPointer, now: Milliseconds) -> Int {
        wakeList.clear()
        let count = connection.produce(into: out, now: now)
        sent += UInt64(truncatingIfNeeded: count)
        return count
    }

    /// True once both ends know each other.
    public var isConnected: Bool { connection.isRunning }

    private mutating func handle(_ event: Connection.Event, _ now: Milliseconds) {
        switch event {
        case .authenticated:
            connects += 1
            blocks.forEach { connection.announce($0) }
        case .blockInfo(let info):
            guard let block = blocks.block(info.path) else { return }
            connection.bind(info, to: block)
        case .blockChanged(let attachment):
            if attachment.block === blocks.imported { obey(now) }
        case .handshake, .blockRemoved: break
        }
    }

    private mutating func lineBroke(_ now: Milliseconds) {
        // Only what was let in before goes on; a first attempt that breaks is followed by a first attempt.
        let goesOn = connection.isRunning || brokenSince != nil
        // Held in any case: what is let go keeps its memory.
        connection.restart(holdingBlocks: true, now: now)
        if goesOn {
            if brokenSince == nil { brokenSince = now }
        } else {
            connection.releaseHeldBlocks()
            knowsCommands = false
        }
    }

    // MARK: Time

    /// Does what is due: time-outs, streams, signals, the trial. Call it after ``receive(_:now:)`` and about every 10 ms.
    public mutating func step(now: Milliseconds) -> Wish {
        do throws(ProtocolViolation) { _ = try connection.tick(now: now) } catch { lineBroke(now) }
        if let broken = brokenSince {
            if connection.isRunning && !connection.hasHeldBlocks() {
                brokenSince = nil
            } else if now - broken >= Self.holding {
                connection.releaseHeldBlocks()
                brokenSince = nil
                knowsCommands = false
            }
        }
        if let event = transfers.turn(now: now) { follow(event, now) }
        prove(now)
        if now >= nextSecond { second(now) }
        blocks.exported.publish()
        guard let restartAt else { return .none }
        let isSaid = blocks.exported.isDrained && blocks.configurationExport.isDrained
        return now >= restartLatest || (now >= restartAt && isSaid) ? .restart : .none
    }

    private mutating func restart(_ now: Milliseconds) {
        guard restartAt == nil else { return }
        restartAt = now + Self.farewell
        restartLatest = now + Self.longestFarewell
    }

    private mutating func second(_ now: Milliseconds) {
        nextSecond = now + 1000
        seconds = UInt64(truncatingIfNeeded: now - startedAt) / 1000
        let exported = blocks.exported
        DeviceLayout.Exp.counter.set(seconds &* pace, in: exported)
        DeviceLayout.Exp.uptime.set(seconds, in: exported)
        DeviceLayout.Exp.rmBoottime.set(seconds / 60, in: exported)
        DeviceLayout.Exp.rmMalloc.set(UInt64(heap.allocations), in: exported)
        DeviceLayout.Exp.rmMuse.set(UInt64(heap.bytes), in: exported)
        DeviceLayout.Exp.rmConnects.set(connects & 0xFFFF, in: exported)
        DeviceLayout.Exp.rmRxSerial.set(received, in: exported)
        DeviceLayout.Exp.rmTxSerial.set(sent, in: exported)
    }

    // MARK: Operators

    private mutating func obey(_ now: Milliseconds) {
        let imported = blocks.imported
        DeviceLayout.Exp.led.set(DeviceLayout.Imp.setLed.isTrue(in: imported) ? 1 : 0, in: blocks.exported)
        let wanted = Commands(
            reboot: DeviceLayout.Imp.reboot.isTrue(in: imported),
            rollBack: DeviceLayout.Imp.updRollback.isTrue(in: imported))
        let before = commands
        commands = wanted
        guard knowsCommands else {
            knowsCommands = true
            return
        }
        if wanted.rollBack && !before.rollBack { goBack(.asked, now) }
        if wanted.reboot && !before.reboot { restart(now) }
    }

    // MARK: Updates

    private mutating func follow(_ event: DeviceTransfers<Area>.Event, _ now: Milliseconds) {
        switch event {
        case .receiving:
            phase = .receiving
            showUpdate(progress: 0)
            showSlots()
        case .received(let bytes):
            guard phase == .receiving else {
                phase = .receiving
                return showUpdate(progress: 0)
            }
            let capacity = UInt64(truncatingIfNeeded: max(1, transfers.installer.capacity))
            DeviceLayout.Exp.updProgress.set(min(99, bytes * 100 / capacity), in: blocks.exported)
        case .installed:
            phase = .restarting
            showUpdate(progress: 100)
            restart(now)
        case .failed(let problem):
            phase = .failed
            showUpdate(progress: 0, error: problem.text)
            showSlots()
        case .notSigned(let reason):
            phase = .failed
            showUpdate(progress: 0, error: reason)
            showSlots()
        case .refused:
            phase = .failed
            showUpdate(progress: 0, error: "the transfer ended before the program was complete")
            showSlots()
        }
    }

    private mutating func prove(_ now: Milliseconds) {
        guard let ends = trialEnds, restartAt == nil else { return }
        if !hasSelfTestPassed { return goBack(.selfTest, now) }
        if connection.isRunning { return confirm() }
        if now >= ends { goBack(.noProof, now) }
    }

    private mutating func confirm() {
        guard trialEnds != nil else { return }
        do throws(SlotProblem) {
            try transfers.installer.confirm()
            trialEnds = nil
            phase = .confirmed
            showUpdate(progress: 100)
        } catch {
            // The next start gives the program up, as it was not confirmed.
            trialEnds = nil
            phase = .failed
            showUpdate(progress: 100, error: error.text)
        }
        showSlots()
    }

    private mutating func goBack(_ reason: GoneBack, _ now: Milliseconds) {
        do throws(SlotProblem) {
            if try transfers.installer.goBack(reason) {
                trialEnds = nil
                phase = .restarting
                showUpdate(progress: 100, error: reason.text)
                return restart(now)
            }
            phase = .failed
            showUpdate(progress: 100, error: "there is no program to go back to")
        } catch {
            phase = .failed
            showUpdate(progress: 100, error: error.text)
        }
        trialEnds = nil
    }

    // MARK: Signals

    private func showFixed(_ own: ProgramDescriptor, _ identity: FirmwareIdentity) {
        let exported = blocks.exported
        DeviceLayout.Exp.siPackage.set(own.version, in: exported)
        DeviceLayout.Exp.siEosal.set("swift", in: exported)
        DeviceLayout.Exp.siIocom.set("swift", in: exported)
        DeviceLayout.Exp.siOs.set(own.os, in: exported)
        DeviceLayout.Exp.siOsver.set("1", in: exported)
        DeviceLayout.Exp.siArch.set(identity.architecture, in: exported)
        DeviceLayout.Exp.siHw.set(own.hardware, in: exported)
        DeviceLayout.Exp.updVersion.set(own.version, in: exported)
        DeviceLayout.Exp.led.set(0, in: exported)
    }

    private func showUpdate(progress: UInt64, error: StaticString = "") {
        let exported = blocks.exported
        DeviceLayout.Exp.updState.set(UInt64(phase.rawValue), in: exported)
        DeviceLayout.Exp.updProgress.set(progress, in: exported)
        DeviceLayout.Exp.updError.set(error, in: exported)
    }

    private func showSlots() {
        let exported = blocks.exported
        DeviceLayout.Exp.updSlot.set(transfers.installer.running == 0 ? "slot 0" : "slot 1", in: exported)
        DeviceLayout.Exp.updPrevious.set(transfers.installer.previous?.version ?? ShortText<15>(), in: exported)
        DeviceLayout.Exp.updKeys.set(UInt64(truncatingIfNeeded: transfers.keyCount), in: exported)
    }
}

extension GoneBack {
    /// The reason for people.
    var text: StaticString {
        switch self {
        case .no: ""
        case .noProof: "the new program did not reach its server, or was reset before it did"
        case .watchdog: "the new program stopped answering the watchdog"
        case .crash: "the new program crashed"
        case .selfTest: "the self-test of the new program failed"
        case .asked: "an operator asked for it"
        case .damaged: "the new program was damaged in the flash"
        }
    }
}
