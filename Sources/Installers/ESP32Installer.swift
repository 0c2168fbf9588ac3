import ByteTools
import DeviceStorage
import IOCOM
public import Programs
import Synchronization

/// Writes programs into the slot of an ESP32 class device that does not run, and decides which slot boots.
///
/// Nothing is erased before the first bytes have shown that the package is an image for this chip and this application.
/// The slot that runs, otadata and the persistent blocks are not touched until the whole image is written, read back and
/// found good; then one otadata entry is replaced. A power cut at any operation leaves the old or the new program.
public final class ESP32Installer: ProgramInstaller {
    /// The slot whose program runs.
    public let runningSlot: Int
    /// The slot that the next program goes into.
    public var targetSlot: Int { 1 - runningSlot }
    private let flash: ESPFlash
    private let application: String
    private let state = Mutex(State.free)

    /// One lock covers everything that writes: an installation and a decision for another slot exclude each other.
    private enum State {
        case free
        case writing(Session)
        /// Another slot was chosen: until the restart nothing may be written to it any more.
        case decided
    }

    private struct Session {
        var scanner: ESPImageScanner
        /// Bytes of the sector that is being filled.
        var pending: [UInt8] = []
        /// Bytes in the slot; 0 as long as nothing was erased.
        var written = 0
        var accepted = false
    }

    /// An installer for the device that runs `boot`; packages must be for `application`.
    public init(_ flash: ESPFlash, running boot: ESPBootLoader.Boot, application: String) {
        self.flash = flash
        self.application = application
        runningSlot = boot.slot
    }

    // MARK: Installing

    /// Refuses while the running program has not proved itself, as ESP-IDF does: the other slot is its way back.
    public func start() throws(InstallError) {
        try state.withLock { state throws(InstallError) in
            switch state {
            case .decided: throw InstallError(.failed, "the device is about to restart; try again when it is back")
            case .writing(let open): spoil(open)
            case .free: break
            }
            state = .free
            let data = try otaData()
            guard let entry = data.entry(for: runningSlot), data.entries[entry].state == .valid else {
                throw InstallError(.failed, "the running program has not proved itself yet; try again when it has")
            }
            state = .writing(
                Session(scanner: ESPImageScanner(chip: flash.profile.chip, limit: flash.slots[targetSlot].size)))
        }
    }

    /// Checks the bytes and writes whole sectors.
    public func append(_ bytes: [UInt8]) throws(InstallError) {
        try state.withLock { state throws(InstallError) in
            guard case .writing(var open) = state else { throw InstallError(.failed, "no installation was started") }
            // Not held twice while bytes are added to it.
            state = .free
            do throws(InstallError) {
                try take(bytes, &open)
                state = .writing(open)
            } catch {
                spoil(open)
                throw error
            }
        }
    }

    private func take(_ bytes: [UInt8], _ session: inout Session) throws(InstallError) {
        let taken: Int
        do { taken = try session.scanner.feed(bytes) } catch { throw InstallError(error) }
        guard taken == bytes.count else {
            throw InstallError(
                .checksumMismatch, "bytes follow after the end of the program (byte \(session.scanner.size))")
        }
        session.pending += bytes
        guard let descriptor = session.scanner.application else { return }
        if !session.accepted {
            guard descriptor.project == application else {
                throw InstallError(
                    .programmingFailed, "the program is '\(descriptor.project)', this device runs '\(application)'")
            }
            session.accepted = true
        }
        let sector = NORFlash.sectorSize
        var start = 0
        while session.pending.count - start >= sector {
            try write(Array(session.pending[start..<start + sector]), &session)
            start += sector
        }
        session.pending.removeFirst(start)
    }

    private func write(_ bytes: [UInt8], _ session: inout Session) throws(InstallError) {
        let slot = flash.slots[targetSlot]
        let place = session.written
        do throws(FlashError) {
            // Counted first: from the erase on the slot no longer holds what it held.
            session.written += bytes.count
            try slot.eraseSector(at: place)
            try slot.write(at: place, bytes)
        } catch {
            throw InstallError(.programmingFailed, error.description)
        }
    }

    /// Writes the rest, reads everything back, and selects the slot for the next start.
    public func finish() throws(InstallError) -> InstalledProgram {
        try state.withLock { state throws(InstallError) in
            guard case .writing(var open) = state else { throw InstallError(.failed, "no installation was started") }
            state = .free
            do throws(InstallError) {
                let program = try complete(&open)
                state = .decided
                return program
            } catch {
                spoil(open)
                throw error
            }
        }
    }

    private func complete(_ session: inout Session) throws(InstallError) -> InstalledProgram {
        let image: ESPImage
        do { image = try session.scanner.finish() } catch { throw InstallError(error) }
        if !session.pending.isEmpty { try write(session.pending, &session) }
        do { try flash.device.sync() } catch { throw InstallError(.programmingFailed, error.description) }
        let stored: ESPImage
        do { stored = try flash.image(in: targetSlot) } catch {
            throw InstallError(.programmingFailed, "the flash does not hold what was written: \(error)")
        }
        guard stored == image else {
            throw InstallError(.programmingFailed, "the flash holds another program than the one written")
        }
        try select(image)
        return InstalledProgram(
            application: image.application.project, version: image.application.version, size: image.size,
            digest: image.digest, needsRestart: true)
    }

    /// Drops the installation.
    public func cancel() {
        state.withLock { state in
            guard case .writing(let open) = state else { return }
            spoil(open)
            state = .free
        }
    }

    /// A program that was not accepted must not look like one that can boot. When this fails too, otadata still names
    /// the running slot.
    private func spoil(_ session: Session) {
        if session.written > 0 { try? flash.slots[targetSlot].eraseSector(at: 0) }
    }

    // MARK: Slots

    private func otaData() throws(InstallError) -> OTAData {
        do { return try OTAData(flash.otaData, slotCount: flash.slots.count) } catch {
            throw InstallError(.readFailed, error.description)
        }
    }

    private func replace(_ data: inout OTAData, _ index: Int, _ entry: OTAEntry) throws(InstallError) {
        do { try data.replace(index, with: entry, in: flash.otaData) } catch {
            throw InstallError(.programmingFailed, error.description)
        }
    }

    private func sequence(_ data: OTAData, _ slot: Int, above sequence: UInt32) throws(InstallError) -> UInt32 {
        guard let next = data.sequence(for: slot, above: sequence) else {
            throw InstallError(.failed, "the sequence numbers of otadata are used up")
        }
        return next
    }

    /// Makes the target slot the one that boots next, state NEW (`esp_ota_set_boot_partition`).
    ///
    /// ESP-IDF replaces the entry that is not active. Here it is the entry that does not stand for the running program,
    /// which is the same one unless otadata was damaged.
    private func select(_ image: ESPImage) throws(InstallError) {
        var data = try otaData()
        guard let keep = data.entry(for: runningSlot) else {
            throw InstallError(.programmingFailed, "otadata does not keep its entries")
        }
        let next = try sequence(data, targetSlot, above: data.entries[keep].sequence)
        try replace(&data, 1 - keep, OTAEntry(sequence: next, state: .new, imageDigest: image.digest))
    }

    /// Says that the running program has proved itself (`esp_ota_mark_app_valid_cancel_rollback`).
    public func confirm() throws(InstallError) {
        var data = try otaData()
        if let index = data.entry(for: runningSlot) {
            var entry = data.entries[index]
            guard entry.state != .valid else { return }
            entry.state = .valid
            try replace(&data, index, entry)
        } else {
            // No entry stands for the program that runs: otadata was damaged and the boot loader fell back.
            let digest = try running().digest
            let index = data.active.map { 1 - $0 } ?? 0
            let last = data.entries.filter(\.isWhole).map(\.sequence).max() ?? 0
            let next = try sequence(data, runningSlot, above: last)
            try replace(&data, index, OTAEntry(sequence: next, state: .valid, imageDigest: digest))
        }
    }

    /// Gives up the running program for the one in the other slot (`esp_ota_mark_app_invalid_rollback_and_reboot`); the
    /// caller restarts. Fails when there is no other program that was proved.
    public func markInvalidAndRollBack() throws(InstallError) {
        try state.withLock { state throws(InstallError) in
            guard case .free = state else {
                throw InstallError(.failed, "a program is being written, or was; cancel that first")
            }
            guard try previousImage() != nil else {
                throw InstallError(.failed, "the other slot holds no program that was proved on this device")
            }
            var data = try otaData()
            guard let ours = data.entry(for: runningSlot) else { return }
            var entry = data.entries[ours]
            entry.state = .invalid
            try replace(&data, ours, entry)
            state = .decided
        }
    }

    /// The program a roll back would start; nil when there is none that was proved.
    public func previousImage() throws(InstallError) -> ESPImage? {
        guard let image = try? flash.image(in: targetSlot), image.application.project == application else { return nil }
        let data = try otaData()
        guard let index = data.entry(for: targetSlot) else { return nil }
        let entry = data.entries[index]
        return entry.mayBoot && entry.standsFor(imageDigest: image.digest) ? image : nil
    }

    /// Version of the program a roll back would start.
    public var previousVersion: String? { (try? previousImage())?.application.version }

    private func running() throws(InstallError) -> ESPImage {
        do { return try flash.image(in: runningSlot) } catch { throw InstallError(.readFailed, error.description) }
    }

    /// The bytes of the image in a slot, 0 or 1, as they were written.
    public func readImage(slot: Int) throws(InstallError) -> [UInt8] {
        guard flash.slots.indices.contains(slot) else { throw InstallError(.failed, "there is no slot \(slot)") }
        do { return try flash.slots[slot].bytes(at: 0, count: flash.image(in: slot).size) } catch {
            throw InstallError(.readFailed, "\(error)")
        }
    }
}

extension InstallError {
    /// The status of 2.8 that says most about a bad image.
    init(_ error: ESPImageError) {
        let status: StreamStatus =
            switch error.kind {
            case .tooLarge: .discFull
            default: error.isDamage ? .checksumMismatch : .programmingFailed
            }
        self.init(status, error.description)
    }
}
