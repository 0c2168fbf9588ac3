import DeviceStorage
public import FirmwareStorage
public import Programs

/// What the boot stage of a Teensy does after a reset: finishes a copy that a loss of power cut, takes back a program that
/// did not prove itself, starts what is there.
public struct TeensyBootStage: Sendable {
    /// What was started.
    public struct Boot: Sendable {
        /// The program.
        public let image: MicrocontrollerImage
        /// It has to prove itself.
        public let isOnTrial: Bool
        /// Why another program ran before; ``GoneBack/no`` when it is the one that was installed last.
        public let goneBack: GoneBack
        /// What was noticed, for the log.
        public let notes: [String]
        /// How the program behaves in the emulation.
        public var behaviour: ProgramBehaviour { ProgramBehaviour(record: image.record) }
    }

    private let flash: TeensyFlash

    /// The boot stage of a flash.
    public init(_ flash: TeensyFlash) { self.flash = flash }

    /// Does what happens at power-on.
    public func boot() throws(TeensyFlashError) -> Boot {
        var copy: AreaCopy<FlashRegion>
        let before: AreaState
        let start: AreaCopy<FlashRegion>.Start?
        do throws(FlashFault) {
            copy = try flash.copy()
            before = copy.state
            start = try copy.start()
        } catch { throw flash.error(error) }
        guard let start else { throw .noProgram }
        do { try flash.device.sync() } catch {
            // Only a trial depends on what was written.
            guard !start.isOnTrial else { throw .flash(error) }
        }
        let image: MicrocontrollerImage
        do { image = try flash.image(in: flash.active) } catch { throw .program(error) }
        let notes =
            start.fault.map { ["\(flash.error($0)); \(image.version) was started, and nothing was written down"] }
            ?? Self.notes(before, copy.state, image.version)
        return Boot(
            image: image, isOnTrial: start.isOnTrial, goneBack: copy.state.goneBack, notes: notes)
    }

    private static func notes(_ before: AreaState, _ after: AreaState, _ version: String) -> [String] {
        var notes: [String] = []
        if before.active.status == .pending, after.active.digest != before.active.digest {
            notes.append("the program before gave no proof; \(version) was copied back")
        }
        switch before.task {
        case .none: break
        case .save, .install: if before.done > 0 { notes.append("a copy that was cut was finished") }
        case .restore: notes.append("\(version) was copied back")
        }
        if after.goneBack == .damaged, before.goneBack != .damaged {
            notes.append("a program whose bytes had changed was left")
        }
        return notes
    }
}
