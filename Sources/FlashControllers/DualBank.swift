public import FirmwareImages
public import FirmwareStorage

/// What lies where in each of two banks (docs/stm32.md): the boot check, one half of the records, one half of the persistent
/// blocks, and a program. Both banks are divided in the same way, so that a program runs in either.
public struct DualBank<Controller: DualBankController> {
    /// Bytes of the boot check at the start of both banks. It is written once, in production, and never again.
    public static var bootCheckSize: Int { 16 << 10 }
    /// Where records begin.
    public static var recordsStart: Int { 16 << 10 }
    /// Where persistent blocks begin.
    public static var blocksStart: Int { 32 << 10 }
    /// Where a program begins. All before it are small sectors of F42x and F43x.
    public static var programStart: Int { 64 << 10 }
    /// The address that programs are linked for.
    public static var loadAddress: UInt32 { 0x0800_0000 + UInt32(truncatingIfNeeded: programStart) }

    /// The flash controller.
    public let controller: Controller
    private let target: ImageTarget

    /// The banks behind a controller; `target` is what a program has to be to run here. Its place is filled in.
    public init(_ controller: Controller, for target: ImageTarget) {
        self.controller = controller
        var target = target
        target.loadAddress = Self.loadAddress
        target.largest = UInt32(truncatingIfNeeded: controller.bankSize - Self.programStart)
        self.target = target
    }

    /// What a program has to be.
    public var imageTarget: ImageTarget { target }

    /// Place of a program.
    public func slot(_ bank: Int) -> BankArea<Controller> {
        BankArea(controller, bank: bank, start: Self.programStart, length: controller.bankSize - Self.programStart)
    }

    /// Place of the ``FirmwareStorage/SlotRecords``: one sector of each bank.
    public var recordArea: BankArea<Controller> {
        BankArea(
            bothBanksOf: controller, start: Self.recordsStart, length: controller.sector(at: Self.recordsStart).size)
    }

    /// Place of the persistent blocks: one unit of 32 KiB in each bank.
    public var blockArea: BankArea<Controller> {
        BankArea(
            bothBanksOf: controller, start: Self.blocksStart, length: Self.programStart - Self.blocksStart,
            grouped: true)
    }

    /// The program in a bank; nil when there is no whole one.
    public func image(in bank: Int) throws(FlashFault) -> StoredImage? { try StoredImage(in: slot(bank), for: target) }

    // MARK: Boot check

    /// How a start goes on.
    public enum Start: Equatable, Sendable {
        /// The program of the running bank is to be started; with why the one before it was left.
        case program(isOnTrial: Bool, goneBack: GoneBack)
        /// The other bank was selected and the machine reset. Returned only by a model.
        case restart
        /// There is no program.
        case nothing
    }

    /// How often in a row the option bytes are changed for the same choice. One is what it takes; more are for losses of
    /// power, and the last ones for a part that takes no option bytes, which must not be worn out by trying.
    public static var mostExchanges: UInt8 { 8 }

    private typealias Records = RecordPair<BankArea<Controller>, BankChoice>

    /// What the boot check does after each reset, in whichever bank was started: the records say which program is due. When
    /// it is the one of the other bank the option bytes are set for that, also when a loss of power left them as they were
    /// or as they are after an erase. A program is marked as tried before it gets its one start; where that can't be
    /// written down it gets none, for it would get one after each reset, and the program before it starts.
    ///
    /// `cause` is what the reset says about the program that ran before.
    public func start(cause: GoneBack = .noProof) -> Start {
        do throws(FlashFault) {
            var records = try Records(recordArea)
            return decide(cause, &records)
        } catch {
            // Nothing is known: what is whole here runs.
            return digest(controller.runningBank) == nil ? .nothing : .program(isOnTrial: false, goneBack: .no)
        }
    }

    private func digest(_ bank: Int) -> ImageDigest? {
        do throws(FlashFault) { return try image(in: bank)?.digest } catch { return nil }
    }

    /// False when the flash does not take it.
    private func keep(_ choice: SlotChoice, exchanges: UInt8 = 0, in records: inout Records) -> Bool {
        let new = BankChoice(choice: choice, exchanges: exchanges)
        if records.isStored && records.content == new { return true }
        do throws(FlashFault) { try records.store(new) } catch { return false }
        return true
    }

    /// Has the other bank started; returns only in a model, or when the option bytes were not changed.
    private func restart(in bank: Int) -> Start? {
        do throws(FlashFault) { try controller.select(bank: bank) } catch { return nil }
        controller.restart()
        return .restart
    }

    private func decide(_ cause: GoneBack, _ records: inout Records) -> Start {
        let running = controller.runningBank
        let choice = records.content.choice
        guard let plan = choice.plan(cause: cause, image: digest) else { return .nothing }
        guard plan.slot == running else { return exchange(choice, plan, &records) }
        if !keep(plan.choice, in: &records) && plan.isOnTrial {
            let before = choice[1 - running]
            if before.status == .valid, digest(1 - running) == before.digest, let start = restart(in: 1 - running) {
                return start
            }
        }
        return .program(isOnTrial: plan.isOnTrial, goneBack: plan.choice.goneBack)
    }

    /// The program of the other bank is due.
    private func exchange(_ choice: SlotChoice, _ plan: SlotChoice.Plan, _ records: inout Records) -> Start {
        let running = controller.runningBank
        var count = records.content.exchanges
        var isKept = true
        // When that bank is selected and the machine started this one, nothing of that bank can run.
        if controller.selectedBank != plan.slot && count < Self.mostExchanges {
            // A start that is to be on trial is written down by the boot check of the bank that makes it. Who can't even
            // write down that it tries to get there does not try: that one would send it back, again and again.
            count += 1
            isKept = keep(plan.isOnTrial ? choice : plan.choice, exchanges: count, in: &records)
            if isKept || !plan.isOnTrial, let start = restart(in: plan.slot) { return start }
        }
        var left = choice
        left.boot = running
        guard let own = digest(running) else {
            // Whoever switches the machine off and on lets it try again.
            if isKept { _ = keep(choice, in: &records) }
            return .nothing
        }
        guard choice[running] == SlotEntry(.valid, own) else {
            // It is better than a device that is dead, and does not become proved by that. Before each further start the
            // other bank is tried once more.
            left[running] = SlotEntry(.pending, own)
            left.goneBack = .no
            if isKept { _ = keep(left, exchanges: min(count, Self.mostExchanges - 1), in: &records) }
            return .program(isOnTrial: true, goneBack: .no)
        }
        guard isKept else { return .program(isOnTrial: false, goneBack: .no) }
        left[plan.slot].status = .invalid
        left.goneBack = .damaged
        _ = keep(left, in: &records)
        return .program(isOnTrial: false, goneBack: .damaged)
    }
}

extension DualBank: Sendable where Controller: Sendable {}
