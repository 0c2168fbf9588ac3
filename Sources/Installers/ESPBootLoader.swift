import ByteTools
public import DeviceStorage
public import Programs

/// The choice of the ESP-IDF second stage boot loader with rollback enabled and no factory partition
/// (`bootloader_utility.c`: `bootloader_utility_get_selected_boot_partition`, `bootloader_utility_load_boot_image`).
public struct ESPBootLoader: Sendable {
    /// What was started.
    public struct Boot: Sendable {
        /// Slot that runs.
        public let slot: Int
        /// Its program.
        public let image: ESPImage
        /// How the program behaves in the emulation.
        public var behaviour: ProgramBehaviour { ProgramBehaviour(record: image.record) }
        /// State of the program in otadata; nil when no entry stands for the slot.
        public let state: OTAState?
        /// True when the program has to prove itself and then confirm.
        public var needsProof: Bool { state != .valid }
        /// What was noticed, for the log.
        public let notes: [String]
    }

    /// Why nothing was started.
    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// No slot holds a program that may run.
        case noProgram([String])
        /// The flash failed.
        case flash(FlashError)

        /// The reason for people.
        public var description: String {
            switch self {
            case .noProgram(let notes): "no slot holds a valid program: \(notes.joined(separator: "; "))"
            case .flash(let error): error.description
            }
        }
    }

    private let flash: ESPFlash

    /// A boot loader over a flash.
    public init(_ flash: ESPFlash) { self.flash = flash }

    /// Does what happens at power-on: marks states, picks the slot, checks its program.
    public func boot() throws(Failure) -> Boot {
        var notes: [String] = []
        do throws(FlashError) {
            var data = try OTAData(flash.otaData, slotCount: flash.slots.count)
            try giveUpUnconfirmed(&data, &notes)
            let first = try select(&data, &notes)
            // From the chosen slot down to 0, then upwards.
            for slot in Array((0...first).reversed()) + Array((first + 1)..<max(first + 1, flash.slots.count)) {
                let image: ESPImage
                do { image = try flash.image(in: slot) } catch {
                    notes.append("slot \(slot) is passed over: \(error)")
                    continue
                }
                try recordFirstChoice(&data, slot, image)
                let state = data.entry(for: slot).map { data.entries[$0].state }
                return Boot(slot: slot, image: image, state: state, notes: notes)
            }
        } catch {
            throw .flash(error)
        }
        throw .noProgram(notes)
    }

    private func giveUpUnconfirmed(_ data: inout OTAData, _ notes: inout [String]) throws(FlashError) {
        for index in 0..<2 where data.entries[index].state == .pendingVerify {
            var entry = data.entries[index]
            entry.state = .aborted
            try data.replace(index, with: entry, in: flash.otaData)
            notes.append("the program of otadata entry \(index) restarted before it was confirmed and is given up")
        }
    }

    private func select(_ data: inout OTAData, _ notes: inout [String]) throws(FlashError) -> Int {
        guard let active = data.active, let slot = data.activeSlot else { return 0 }
        if data.entries[active].state == .new {
            var entry = data.entries[active]
            entry.state = .pendingVerify
            try data.replace(active, with: entry, in: flash.otaData)
            notes.append("slot \(slot) starts for the first time")
        }
        return slot
    }

    /// On a device whose otadata was never written the slot that could be started becomes the valid one
    /// (`set_actual_ota_seq`).
    private func recordFirstChoice(_ data: inout OTAData, _ slot: Int, _ image: ESPImage) throws(FlashError) {
        guard data.entries.allSatisfy({ $0.isRejected && !$0.isWhole }),
            let sequence = UInt32(exactly: slot + 1)
        else { return }
        try data.replace(
            0, with: OTAEntry(sequence: sequence, state: .valid, imageDigest: image.digest), in: flash.otaData)
    }
}
