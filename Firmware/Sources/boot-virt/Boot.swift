import BootInterface
import CFIFlash
import FirmwareImages
import FirmwareLayouts
import FirmwareStorage
import IOCOM
import Machine

// The boot loader of the RISC-V board: chooses one of two programs in the flash, checks it, copies it to RAM, and watches it
// from machine mode for as long as it runs.

private func area(_ place: FlashPlace) -> CFIFlash {
    CFIFlash(
        base: VirtFlashLayout.address + UInt(place.offset), size: place.size, unitSize: VirtFlashLayout.unitSize)
}

/// The bytes of a slot, where the flash shows them.
private func bytes(ofSlot slot: Int) -> UnsafeRawBufferPointer {
    let place = VirtFlashLayout.slot(slot)
    return UnsafeRawBufferPointer(
        start: UnsafeRawPointer(bitPattern: VirtFlashLayout.address + UInt(place.offset)), count: place.size)
}

/// The programs in the slots, each looked at once: to hash one takes a while.
private struct Programs {
    private var images = InlineArray<2, StoredImage?>(repeating: nil)
    private var isKnown = InlineArray<2, Bool>(repeating: false)

    /// The program in a slot; nil when there is no whole one for this board.
    mutating func program(in slot: Int) -> StoredImage? {
        if !isKnown[slot] {
            let target = ImageTarget(
                os: "riscv32", hardware: "virt", largest: UInt32(VirtFlashLayout.slotSize),
                loadAddress: VirtFlashLayout.loadAddress)
            images[slot] = try? StoredImage(in: area(VirtFlashLayout.slot(slot)), for: target)
            isKnown[slot] = true
        }
        return images[slot]
    }
}

@main enum Program {
    static func main() { boot() }
}

private func boot() -> Never {
    let last = LastReset.take()
    guard CFIFlash.isThere(at: VirtFlashLayout.address) else { stop("boot: the flash does not answer\r\n\0") }
    var programs = Programs()
    guard let plan = choose(last, &programs), let image = programs.program(in: plan.slot),
        let to = UnsafeMutableRawPointer(bitPattern: UInt(VirtFlashLayout.loadAddress))
    else { stop("boot: there is no program that can be started\r\n\0") }
    UnsafeMutableRawBufferPointer(start: to, count: VirtFlashLayout.slotSize).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: bytes(ofSlot: plan.slot)[..<Int(image.descriptor.imageSize)]))
    Debugger.say(plan.slot == 0 ? "boot: starts slot A" : "boot: starts slot B")
    Debugger.say(plan.isOnTrial ? ", on trial\n" : "\n")

    var report = BootReport()
    report.slot = UInt32(plan.slot)
    report.onTrial = plan.isOnTrial ? 1 : 0
    report.cause = last.cause
    report.starts = last.starts
    report.trap = last.trap
    report.place = last.place
    report.value = last.value
    UnsafeMutablePointer<BootReport>(bitPattern: BootReport.address)?.pointee = report
    protect()
    // A program that fails at once, again and again, does not get all of the processor.
    if last.cause != ResetCause.power.rawValue && last.cause != ResetCause.asked.rawValue {
        for _ in 0..<100 { Watchdog.sleepForOneTick() }
    }
    Watchdog.start()
    machine_start_program(VirtFlashLayout.loadAddress, UInt32(BootReport.address))
    while true { machine_sleep_until_tick() }
}

/// What to start, stored before it is started.
private func choose(_ last: LastReset, _ programs: inout Programs) -> SlotChoice.Plan? {
    do throws(FlashFault) {
        var records = try SlotRecords(area(VirtFlashLayout.records))
        guard let plan = records.choice.plan(cause: last.goneBack, image: { programs.program(in: $0)?.digest }) else {
            return nil
        }
        guard plan.choice != records.choice else { return plan }
        do throws(FlashFault) { try records.store(plan.choice) } catch {
            // A trial that can't be written down could never be ended; what is known to be good may start all the same.
            guard plan.isOnTrial else { return plan }
            var rest = records.choice
            rest[plan.slot] = SlotEntry(.invalid)
            return rest.plan(cause: last.goneBack, image: { programs.program(in: $0)?.digest })
        }
        return plan
    } catch {
        return nil
    }
}

/// Nothing can be started: says so on the serial line every ten seconds, and sleeps.
private func stop(_ text: StaticString) -> Never {
    Debugger.say(text)
    while true {
        var at = text.utf8Start
        while at.pointee != 0 {
            // THRE of the line status register of the 16550.
            while machine_load8(0x1000_0005) & 0x20 == 0 {}
            machine_store8(0x1000_0000, at.pointee)
            at += 1
        }
        for _ in 0..<1000 { Watchdog.sleepForOneTick() }
    }
}

/// What a program may do with memory: its image is never written, its RAM never executed, and everything of the boot loader,
/// the timer of the watchdog and the switch of the machine are out of reach.
private func protect() {
    /// Registers of the physical memory protection (privileged architecture 3.7): a naturally aligned power of two.
    func place(_ address: UInt32, _ size: UInt32) -> UInt32 { address >> 2 | (size >> 3 - 1) }
    let naturallyAligned: UInt8 = 3 << 3
    let read: UInt8 = 1
    let write: UInt8 = 2
    let execute: UInt8 = 4
    machine_set_protection(0, place(UInt32(BootReport.address), 0x1000), naturallyAligned | read)
    machine_set_protection(1, place(VirtFlashLayout.loadAddress, 0x10_0000), naturallyAligned | read | execute)
    machine_set_protection(2, place(0x8040_0000, 0x1_0000), naturallyAligned | read | write)
    machine_set_protection(3, place(0x8000_0000, 0x4000_0000), naturallyAligned)
    machine_set_protection(4, place(0x0200_0000, 0x1_0000), naturallyAligned)
    machine_set_protection(5, place(0x0010_0000, 0x1000), naturallyAligned)
    machine_set_protection(6, 0xFFFF_FFFF, naturallyAligned | read | write)
}
