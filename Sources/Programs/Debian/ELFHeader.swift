public import ByteTools

/// Names of architectures.
public enum DebianArchitecture {
    #if arch(x86_64)
    /// What this program was compiled for.
    public static let own = "amd64"
    #else
    /// What this program was compiled for.
    public static let own = "arm64"
    #endif

    /// Debian's name for what the system calls a machine (uname(2)); other names are kept.
    public static func name(ofMachine machine: String) -> String {
        switch machine {
        case "x86_64": "amd64"
        case "aarch64": "arm64"
        case "armv7l": "armhf"
        case "i686": "i386"
        default: machine
        }
    }
}

/// What the head of an ELF program says (System V ABI, chapter 4).
public struct ELFHeader: Sendable, Equatable {
    /// The architecture's Debian name.
    public let architecture: String

    /// Reads the head of a program for Linux; nil when it is none, or for an architecture that is not known here.
    public init?(_ source: some ByteSource) throws(StorageFailure) {
        let size = try source.byteCount
        guard size >= 64 else { return nil }
        let head = try source.read(at: 0, count: 40)
        guard head.starts(with: [0x7F, 0x45, 0x4C, 0x46]), head[5] == 1 else { return nil }
        switch (head[4], Int(head[18]) | Int(head[19]) << 8) {
        case (2, 62): architecture = "amd64"
        case (2, 183): architecture = "arm64"
        case (2, 243): architecture = "riscv64"
        // The flags tell whether floating point numbers travel in registers (ELF for the Arm architecture, 5.2).
        case (1, 40): architecture = head[37] & 0x04 != 0 ? "armhf" : "armel"
        case (1, 3): architecture = "i386"
        default: return nil
        }
    }
}
