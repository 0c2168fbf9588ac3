// swift-tools-version: 6.2
import PackageDescription

// Programs of microcontrollers in Embedded Swift. The folders of the protocol core and of the flash storage are those of the
// package above (links), so the same sources run on the host and here.
//
// Built for one processor at a time by scripts/firmware: products ending in "-virt" for riscv32, in "-netduino" for armv7em.
let settings: [SwiftSetting] = [
    .enableExperimentalFeature("Embedded"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
    .unsafeFlags([
        "-wmo", "-Osize", "-parse-as-library", "-enforce-exclusivity=unchecked", "-Xfrontend", "-function-sections",
        "-Xfrontend", "-disable-stack-protector",
        // One processor, and interrupts touch no counted object; see Machine/memory.c.
        "-Xfrontend", "-assume-single-threaded",
        // What repeats in many functions becomes a function.
        "-Xllvm", "-enable-machine-outliner=always", "-Xllvm", "-enable-linkonceodr-outlining",
    ]),
]

let cSettings: [CSetting] = [
    .unsafeFlags([
        "-Os", "-ffreestanding", "-fno-builtin", "-ffunction-sections", "-fdata-sections", "-Wall", "-Werror",
    ])
]

/// A library of Swift.
func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// A library of C or assembly.
func machine(_ name: String) -> Target { .target(name: name, cSettings: cSettings) }

/// A program, laid out by a file in Linker/.
func program(_ name: String, _ script: String, stack: Int, arena: Int, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, swiftSettings: settings,
        linkerSettings: [
            .unsafeFlags([
                "-use-ld=lld", "-Xclang-linker", "-nostdlib", "-Xclang-linker", "-static", "-Xlinker", "-T", "-Xlinker",
                "\(Context.packageDirectory)/Linker/\(script).ld",
                "-Xlinker", "--defsym=firmware_stack_size=\(stack)",
                "-Xlinker", "--defsym=firmware_arena_size=\(arena)",
            ])
        ])
}

let package = Package(
    name: "firmware",
    targets: [
        machine("Machine"),
        machine("StartVirt"),
        machine("StartVirtBoot"),
        machine("StartNetduino"),
        library("IOCOM"),
        library("FirmwareImages", ["IOCOM"]),
        library("FirmwareStorage", ["FirmwareImages"]),
        library("FirmwareCrypto", ["FirmwareImages", "IOCOM"]),
        library("FirmwareDevice", ["FirmwareCrypto", "FirmwareImages", "FirmwareStorage", "IOCOM"]),
        library("FirmwareLayouts"),
        library("FixedMemory", ["Machine"]),
        library("BootInterface"),
        library("CFIFlash", ["FirmwareStorage", "Machine"]),
        library("SerialRing"),
        library(
            "VirtBoard",
            [
                "BootInterface", "CFIFlash", "FirmwareLayouts", "FirmwareStorage", "FixedMemory", "Machine",
                "SerialRing", "StartVirt",
            ]),
        library("NetduinoBoard", ["FirmwareStorage", "FixedMemory", "Machine", "SerialRing", "StartNetduino"]),
        library("Hello", ["FirmwareStorage", "FixedMemory"]),
        program(
            "boot-virt", "virt-boot", stack: 16384, arena: 0,
            [
                "BootInterface", "CFIFlash", "FirmwareImages", "FirmwareLayouts", "FirmwareStorage", "IOCOM", "Machine",
                "StartVirtBoot",
            ]),
        // Checks of recorded conversations, as on the host (scripts/golden --machine).
        machine("StartGolden"),
        .target(
            name: "IOCOMTestSupport", dependencies: ["IOCOM"], exclude: ["RawPeer.swift", "Settings.swift"],
            swiftSettings: settings),
        .target(
            name: "GoldenChecks", dependencies: ["IOCOM", "IOCOMTestSupport"],
            exclude: ["GoldenReport+File.swift", "RecordedMachine.swift", "Recorder.swift", "Recording+File.swift"],
            swiftSettings: settings),
        program(
            "golden-virt", "virt-golden", stack: 1 << 20, arena: 0,
            ["FirmwareImages", "GoldenChecks", "Machine", "StartGolden"]),
        program(
            "hello-virt", "virt-program", stack: 4096, arena: 1024,
            ["BootInterface", "CFIFlash", "FirmwareStorage", "Hello", "VirtBoard"]),
        program("hello-netduino", "netduino", stack: 4096, arena: 1024, ["FirmwareStorage", "Hello", "NetduinoBoard"]),
        // Core, one serial connection, both streams, and nothing else.
        program("streams-virt", "virt-program", stack: 4096, arena: 12288, ["IOCOM", "VirtBoard"]),
        library("DeviceProgram", ["FirmwareDevice", "FirmwareStorage", "FixedMemory", "IOCOM"]),
        library(
            "VirtDevice",
            ["BootInterface", "CFIFlash", "DeviceProgram", "FirmwareDevice", "FirmwareStorage", "IOCOM", "VirtBoard"]),
        program("device-virt", "virt-program", stack: 13312, arena: 16384, ["DeviceProgram", "IOCOM", "VirtDevice"]),
        program(
            "device-virt-next", "virt-program", stack: 13312, arena: 16384, ["DeviceProgram", "IOCOM", "VirtDevice"]),
        program(
            "device-netduino", "netduino", stack: 13312, arena: 16384,
            ["DeviceProgram", "FirmwareDevice", "FirmwareStorage", "IOCOM", "NetduinoBoard"]),
        // Does nothing, for ever: what a boot loader has to be able to leave.
        program("hang-virt", "virt-program", stack: 1024, arena: 64, ["Machine", "VirtBoard"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c11
)
