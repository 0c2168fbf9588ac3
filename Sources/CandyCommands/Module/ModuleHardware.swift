import Installers
import Programs

/// What candy pretends to be.
enum ModuleHardware: Sendable, Equatable {
    /// A module of the ESP32 family around a flash image.
    case esp(HardwareProfile)
    /// A board with an STM32 around an exact model of its flash controller.
    case stm32(STM32Profile)
    /// A Teensy 4 around a flash image.
    case teensy(TeensyLayout)
    /// A Linux machine that stores its persistent blocks as files; it cannot install programs.
    case linux
    /// A Windows whose application is installed from packages; reached through wine.
    case windows

    /// Names for `--hardware`.
    static var names: [String] {
        HardwareProfile.all.map(\.name) + STM32Profile.all.map(\.name) + TeensyBoard.all.map(\.name)
            + [linux.name, windows.name]
    }

    /// The hardware of a name; nil when there is none.
    init?(_ name: String) {
        if name == Self.linux.name {
            self = .linux
        } else if name == Self.windows.name {
            self = .windows
        } else if let profile = HardwareProfile.named(name) {
            self = .esp(profile)
        } else if let profile = STM32Profile.named(name) {
            self = .stm32(profile)
        } else if let layout = TeensyLayout.named(name) {
            self = .teensy(layout)
        } else {
            return nil
        }
    }

    /// Name for `--hardware`.
    var name: String {
        switch self {
        case .esp(let profile): profile.name
        case .stm32(let profile): profile.name
        case .teensy(let layout): layout.board.name
        case .linux: "linux"
        case .windows: "windows"
        }
    }

    /// `si_os`
    var os: String {
        switch self {
        case .esp(let profile): profile.os
        case .stm32(let profile): profile.os
        case .teensy: TeensyBoard.os
        case .linux: "linux"
        case .windows: "windows"
        }
    }

    /// `si_hw`
    var hardware: String {
        switch self {
        case .esp(let profile): profile.hardware
        case .stm32(let profile): profile.name
        case .teensy(let layout): layout.board.name
        case .linux: "generic"
        case .windows: Self.windowsArchitecture.rawValue
        }
    }

    /// `si_arch`, at most 8 bytes.
    var architecture: String {
        switch self {
        case .esp(let profile): profile.chip == .esp32c3 ? "riscv32" : "xtensa"
        case .stm32, .teensy: "armv7em"
        case .linux: DebianArchitecture.own
        case .windows: Self.windowsArchitecture.rawValue
        }
    }

    /// The kind of Windows that is reached.
    static let windowsArchitecture = WindowsPackage.Architecture.amd64

    /// What packages are named for: the board of a module, the architecture of a Linux machine.
    var packageHardware: String { self == .linux ? architecture : hardware }
}
