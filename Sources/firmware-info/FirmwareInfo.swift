import FirmwareDescription

/// Prints the source of `Sources/FirmwareDevice/DeviceLayout.swift`.
@main enum FirmwareInfo {
    static func main() throws {
        print(try FirmwareDescription.source(), terminator: "")
    }
}
