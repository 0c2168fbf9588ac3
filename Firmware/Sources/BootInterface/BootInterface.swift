// What the boot loader of the RISC-V board and its programs say to each other.

/// What a program asks of the boot loader, by an environment call with this number.
public enum BootCall: UInt32 {
    /// The program is alive; to be called at least every ``BootReport/watchdogSeconds``.
    case feed = 0
    /// Restart; the argument is a ``ResetCause``.
    case reset = 1
}

/// Why the machine was restarted.
public enum ResetCause: UInt32 {
    /// The power came back; nothing is known.
    case power = 0
    /// The program wanted it.
    case asked = 1
    /// The program did not say for too long that it is alive.
    case watchdog = 2
    /// The program did what the processor does not allow.
    case crash = 3
    /// The program found itself wanting.
    case selfTest = 4
}

/// What the boot loader tells a program; it lies where the program can read but not write it.
public struct BootReport {
    /// Where it lies.
    public static var address: UInt { 0x801F_F000 }
    /// Seconds without a sign of life after which the boot loader restarts the machine.
    public static var watchdogSeconds: UInt32 { 8 }
    /// Marks a report.
    public static var magic: UInt32 { 0x5045_5242 }  // BREP

    /// ``magic``.
    public var mark: UInt32 = BootReport.magic
    /// The slot of this program.
    public var slot: UInt32 = 0
    /// 1 when the program has to prove itself.
    public var onTrial: UInt32 = 0
    /// A ``ResetCause``.
    public var cause: UInt32 = 0
    /// Starts since the power came.
    public var starts: UInt32 = 0
    /// After a crash: `mcause`, `mepc` and `mtval` of the trap (RISC-V privileged architecture, 3.1).
    public var trap: UInt32 = 0
    /// Address of the instruction.
    public var place: UInt32 = 0
    /// Address that was accessed, or the instruction.
    public var value: UInt32 = 0

    /// A report of a first start.
    public init() {}

    /// The report of the boot loader that started this program.
    public static var current: BootReport {
        guard let report = UnsafePointer<BootReport>(bitPattern: address) else { return BootReport() }
        return report.pointee
    }
}
