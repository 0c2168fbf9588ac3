import Foundation
import UpdateTesting

/// The RISC-V board in QEMU: its flash is a file, its serial line one end of a cable.
///
/// Killing QEMU is what a loss of power is to a board: what its flash holds stays, everything else is gone.
final class EmulatedBoard {
    /// Name of the device in the firmware.
    static let device = "blink1.cafenet"

    /// An image of a program of `Firmware/`, in `folder`.
    static func image(_ program: String, _ version: String, folder: String) async throws -> String {
        let path = "\(folder)/iocafe-blink-\(version)-riscv32-virt.bin"
        let result = try await script(["image", program, "blink", version, path], folder: folder)
        guard result.status == 0 else { throw Unexpected("\(result)") }
        return path
    }

    /// Runs `scripts/firmware`.
    static func script(_ arguments: [String], folder: String) async throws -> Finished {
        var environment = ["HOME": ProcessInfo.processInfo.environment["HOME"] ?? "/root"]
        environment["FIRMWARE_IMAGE"] = Place.programs + "/firmware-image"
        // Only the first build takes long.
        return try await RunningProgram(
            Place.root + "/scripts/firmware", arguments, environment: environment, folder: folder
        ).end(seconds: 900)
    }

    /// Path of the flash.
    let flash: String
    private let port: String
    private let bootLoader: String
    private let folder: String
    private(set) var emulator: RunningProgram

    /// Starts a board with a flash that holds `image`, on `port`. With keys it takes only what they signed.
    init(image: String, keys: [String] = [], port: String, folder: TemporaryFolder) async throws {
        flash = folder.path + "/flash.img"
        self.port = port
        self.folder = folder.path
        bootLoader = Place.root + "/Firmware/.build/elf/boot-virt.elf"
        let made = try await Self.script(["flash", image, flash] + keys, folder: folder.path)
        guard made.status == 0 else { throw Unexpected("\(made)") }
        emulator = try Self.start(bootLoader, flash, port, self.folder)
    }

    private static func start(
        _ bootLoader: String, _ flash: String, _ port: String, _ folder: String
    ) throws -> RunningProgram {
        try RunningProgram(
            "/usr/bin/qemu-system-riscv32",
            [
                "-M", "virt", "-display", "none", "-monitor", "none", "-bios", bootLoader,
                "-drive", "if=pflash,unit=1,format=raw,file=\(flash)",
                "-chardev", "serial,id=line,path=\(port)", "-serial", "chardev:line",
            ], folder: folder)
    }

    /// Starts the STM32F405 board with `image`, which it runs in place, on `port`.
    static func netduino(image: String, port: String, folder: TemporaryFolder) throws -> RunningProgram {
        try RunningProgram(
            "/usr/bin/qemu-system-arm",
            [
                "-M", "netduinoplus2", "-kernel", image, "-display", "none", "-monitor", "none",
                "-chardev", "serial,id=line,path=\(port)", "-serial", "chardev:line",
            ], folder: folder.path)
    }

    /// The power goes, and comes back.
    func powerCycle() async throws {
        try await powerOff()
        emulator = try Self.start(bootLoader, flash, port, folder)
    }

    /// The power goes.
    func powerOff() async throws { try await emulator.kill() }
}
