import Installers
import Programs

/// What candy pretends to be.
enum ModuleHardware: Sendable, Equatable {
    /// A module of the ESP32 family around a flash image.
    case esp(HardwareProfile)
    /// A Linux machine that stores its persistent blocks as files; it cannot install programs.
    case linux

    /// Names for `--hardware`.
    static var names: [String] { HardwareProfile.all.map(\.name) + ["linux"] }

    /// The hardware of a name; nil when there is none.
    init?(_ name: String) {
        if name == "linux" {
            self = .linux
        } else if let profile = HardwareProfile.named(name) {
            self = .esp(profile)
        } else {
            return nil
        }
    }

    /// `si_os`
    var os: String {
        switch self {
        case .esp(let profile): profile.os
        case .linux: "linux"
        }
    }

    /// `si_hw`
    var hardware: String {
        switch self {
        case .esp(let profile): profile.hardware
        case .linux: "generic"
        }
    }

    /// `si_arch`, at most 8 bytes.
    var architecture: String {
        switch self {
        case .esp(let profile): profile.chip == .esp32c3 ? "riscv32" : "xtensa"
        case .linux: DebianArchitecture.own
        }
    }

    /// What packages are named for: the board of a module, the architecture of a Linux machine.
    var packageHardware: String { self == .linux ? architecture : hardware }
}
