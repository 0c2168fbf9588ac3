// swift-tools-version: 6.2
import PackageDescription

// One set of language rules for every target; warnings are errors so that `main` stays clean.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

/// A library target of this package; arrows in `dependencies` point downward only (docs/architecture.md).
func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// The unit tests beside a library.
func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.target(name: name)] + dependencies, swiftSettings: settings)
}

/// An executable of a few lines over its command library.
func program(_ name: String, _ commands: String) -> Target {
    .executableTarget(name: name, dependencies: [.target(name: commands), arguments], swiftSettings: settings)
}

let package = Package(
    name: "iocom",
    platforms: [.macOS(.v26)],
    products: [
        .library(name: "IOCOM", targets: ["IOCOM"]),
        .executable(name: "frank", targets: ["frank"]),
        .executable(name: "candy", targets: ["candy"]),
        .executable(name: "ispy", targets: ["ispy"]),
        .executable(name: "iostart", targets: ["iostart"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        library("IOCOM"),
        library("Access", ["ByteTools", crypto]),
        library("PackedJSON", ["IOCOM"]),
        library("DeviceDescription", ["IOCOM", "PackedJSON"]),
        library("NetworkConfiguration", ["IOCOM", "PackedJSON"]),
        library("Bricks", ["DeviceDescription", "IOCOM"]),
        library("ByteTools"),
        library("FirmwareImages", ["IOCOM"]),
        library("FirmwareStorage", ["FirmwareImages"]),
        library("FirmwareLayouts"),
        library("FlashControllers", ["FirmwareImages", "FirmwareStorage"]),
        library("FlashControllerModels", ["ByteTools", "FlashControllers"]),
        library("FirmwareDevice", ["FirmwareCrypto", "FirmwareImages", "FirmwareStorage", "IOCOM"]),
        library("FirmwareDescription", ["DeviceDescription", "IOCOM", "PackedJSON"]),
        library("FirmwareCrypto", ["FirmwareImages", "IOCOM"]),
        library("Programs", ["ByteTools", "FirmwareImages", "IOCOM", "PackedJSON", crypto]),
        library("DeviceStorage", ["ByteTools", "FirmwareStorage", crypto]),
        library(
            "Installers",
            [
                "ByteTools", "DeviceDescription", "DeviceStorage", "FirmwareImages", "FirmwareStorage",
                "FlashControllerModels", "FlashControllers", "IOCOM", "Programs", crypto,
            ]),
        library("LinuxUpdates", ["ByteTools", "DeviceDescription", "IOCOM", "Installers", "PackedJSON", "Programs"]),
        library(
            "UpdateTesting",
            [
                "ByteTools", "DeviceStorage", "FirmwareImages", "FirmwareStorage", "FlashControllerModels",
                "IOCOM", "Installers", "Programs", crypto,
            ]),
        library(
            "WindowsUpdates", ["ByteTools", "DeviceDescription", "IOCOM", "Installers", "PackedJSON", "Programs"]),
        library(
            "IOCOMTransport",
            [
                "IOCOM", .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
            ] + nio),
        library("IONode", ["IOCOM", "IOCOMTransport"] + nio),
        library("Discovery", ["IOCOM", "IOCOMTransport"] + nio),
        library(
            "IODevice",
            [
                "Bricks", "ByteTools", "IOCOM", "IOCOMTransport", "IONode", "PackedJSON", "DeviceDescription",
                "Discovery",
                "DeviceStorage", "Programs", "Installers", crypto,
            ] + nio),
        library(
            "ServerData",
            [
                "Access", "ByteTools", "IOCOM", "PackedJSON", crypto,
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
            ]),
        library("HistoryEntries", ["PackedJSON"]),
        library(
            "ServerHistory", ["ByteTools", "HistoryEntries", .product(name: "GRDB", package: "GRDB.swift")]),
        library(
            "IOServer",
            [
                "Access", "ByteTools", "IOCOM", "IOCOMTransport", "IONode", "IODevice", "PackedJSON",
                "DeviceDescription", "DeviceStorage", "Installers", "Programs", "ServerData", crypto, "HistoryEntries",
                "ServerHistory",
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ] + nio),
        library(
            "IOOperator",
            [
                "Access", "Bricks", "ByteTools", "IOCOM", "IOCOMTransport", "IONode", "PackedJSON", "DeviceDescription",
                "Programs", "ServerData", "NetworkConfiguration", "HistoryEntries",
            ] + nio),
        library("TerminalUI", ["PackedJSON"]),
        library("CommandLineTool", ["HistoryEntries", "TerminalUI", arguments]),
        .target(
            name: "ISpyWeb",
            dependencies: [
                "Access", "Bricks", "ByteTools", "DeviceDescription", "Discovery", "IOCOM", "IOCOMTransport",
                "IOOperator", "PackedJSON", "NetworkConfiguration", "Programs", "ServerData", "TerminalUI", crypto,
                .product(name: "X509", package: "swift-certificates"), "HistoryEntries",
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ] + nio, resources: [.embedInCode("Page")], swiftSettings: settings),
        library(
            "ISpyCommands",
            [
                "Access", "ByteTools", "CommandLineTool", "DeviceDescription", "Discovery", "IOCOM", "IOCOMTransport",
                "IOOperator", "ISpyWeb", "Programs", "ServerData", "TerminalUI", arguments, "NetworkConfiguration",
                "PackedJSON", "HistoryEntries",
            ] + nio),
        library(
            "FrankCommands",
            [
                "Access", "ByteTools", "DeviceDescription", "DeviceStorage", "Discovery", "IODevice", "Installers",
                "IOServer", "LinuxUpdates", "Programs", "ServerData", "IOCOM", "IOCOMTransport", "CommandLineTool",
                "TerminalUI", arguments, "HistoryEntries", "ServerHistory",
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ] + nio),
        library(
            "CandyCommands",
            [
                "Access", "Bricks", "ByteTools", "IODevice", "IONode", "IOCOM", "IOCOMTransport", "DeviceDescription",
                "DeviceStorage", "FirmwareImages", "FirmwareStorage", "FlashControllerModels", "Installers",
                "LinuxUpdates",
                "NetworkConfiguration", "Discovery", "WindowsUpdates",
                "PackedJSON", "Programs", "CommandLineTool", "TerminalUI", arguments,
            ] + nio),
        program("ispy", "ISpyCommands"),
        program("frank", "FrankCommands"),
        program("candy", "CandyCommands"),
        library(
            "IOStartCommands",
            [
                "ByteTools", "CommandLineTool", "DeviceDescription", "LinuxUpdates", "PackedJSON", "Programs",
                "TerminalUI", arguments,
            ]),
        program("iostart", "IOStartCommands"),

        // What tests of the core share, and the checker of recorded conversations (scripts/golden).
        .target(
            name: "IOCOMTestSupport", dependencies: ["IOCOM"], path: "Tests/IOCOMTestSupport", swiftSettings: settings),
        .target(
            name: "GoldenChecks", dependencies: ["FirmwareImages", "IOCOM", "IOCOMTestSupport"],
            path: "Tests/GoldenChecks",
            swiftSettings: settings),
        .executableTarget(
            name: "golden-check", dependencies: ["GoldenChecks"], path: "Tests/golden-check", swiftSettings: settings),

        // Prints the layout that firmware is built with (Sources/FirmwareDevice/DeviceLayout.swift).
        .executableTarget(name: "firmware-info", dependencies: ["FirmwareDescription"], swiftSettings: settings),

        // Images and flash files of microcontroller programs (scripts/firmware).
        .executableTarget(
            name: "firmware-image",
            dependencies: [
                "ByteTools", "FirmwareDevice", "FirmwareImages", "FirmwareLayouts", "FirmwareStorage", "IOCOM",
                "Programs",
            ],
            path: "Tests/firmware-image", swiftSettings: settings),

        // Power cuts with any program image (scripts/cuts).
        .executableTarget(
            name: "power-cuts", dependencies: ["ByteTools", "Installers", "PackedJSON", "Programs", "UpdateTesting"],
            path: "Tests/power-cuts", swiftSettings: settings),

        // Many devices in one process, for what a page has to bear (Benchmarks/web-page, end-to-end tests).
        .executableTarget(
            name: "many-devices",
            dependencies: [
                "DeviceDescription", "DeviceStorage", "IOCOM", "IOCOMTransport", "IODevice", "IONode", arguments,
            ] + nio, path: "Tests/many-devices", swiftSettings: settings),

        tests("IOCOM", ["IOCOMTestSupport"]),
        .testTarget(
            name: "GoldenTests", dependencies: ["GoldenChecks", "IOCOMTestSupport"], exclude: ["Recordings"],
            swiftSettings: settings),
        tests("PackedJSON", ["IOCOM"]),
        tests("DeviceDescription", ["IOCOM", "PackedJSON"]),
        tests("NetworkConfiguration", ["IOCOM", "PackedJSON"]),
        tests("Bricks", ["DeviceDescription", "IOCOM"]),
        tests("ByteTools", ["UpdateTesting"]),
        tests("FirmwareImages", ["IOCOM", crypto]),
        tests("FirmwareStorage", ["FirmwareImages", "IOCOM"]),
        tests("FlashControllers", ["FirmwareImages", "FirmwareStorage", "FlashControllerModels"]),
        tests(
            "FirmwareDevice",
            [
                "ByteTools", "DeviceDescription", "DeviceStorage", "FirmwareDescription", "FirmwareImages",
                "FirmwareStorage", "IOCOM",
                "IOCOMTestSupport", "Programs", "UpdateTesting", crypto,
            ]),
        tests("FirmwareCrypto", ["FirmwareImages", "IOCOM", "IOCOMTestSupport", "Programs", crypto]),
        tests("Programs", ["ByteTools", "FirmwareImages", "UpdateTesting"]),
        tests("DeviceStorage", ["ByteTools", "FirmwareStorage", "UpdateTesting"]),
        tests("IODevice", ["ByteTools", "DeviceDescription", "DeviceStorage", "IOCOM", "UpdateTesting"]),
        tests(
            "Installers",
            [
                "ByteTools", "DeviceStorage", "FirmwareImages", "FirmwareStorage", "FlashControllerModels",
                "FlashControllers", "IOCOM", "Programs", "UpdateTesting", crypto,
            ]),
        tests("WindowsUpdates", ["ByteTools", "IOCOM", "Installers", "Programs", "UpdateTesting"]),
        tests("LinuxUpdates", ["ByteTools", "Installers", "Programs", "UpdateTesting", crypto]),
        tests("Access"),
        tests("ServerData", ["Access", "IOCOM", "PackedJSON"]),
        tests("HistoryEntries", ["PackedJSON"]),
        tests("ServerHistory", ["ByteTools", "HistoryEntries", .product(name: "GRDB", package: "GRDB.swift")]),
        tests(
            "IOServer",
            [
                "Access", "Bricks", "ByteTools", "DeviceDescription", "DeviceStorage", "IOCOM", "IOCOMTransport",
                "IODevice", "IONode", "IOOperator", "PackedJSON", "ServerData", "HistoryEntries", "ServerHistory",
            ]
                + nio),
        tests("Discovery", ["IOCOM", "IOCOMTransport"] + nio),
        tests(
            "IOCOMTransport",
            ["ServerData", "UpdateTesting", .product(name: "NIOSSL", package: "swift-nio-ssl")] + nio),
        tests(
            "FrankCommands", ["IOServer", "LinuxUpdates", "ServerData", "TerminalUI", "UpdateTesting"] + nio),
        tests("ISpyWeb", ["UpdateTesting"]),
        tests("TerminalUI"),
        tests(
            "CandyCommands",
            [
                "Bricks", "ByteTools", "DeviceDescription", "DeviceStorage", "Discovery", "Installers", "IOCOM",
                "IOCOMTransport", "IODevice", "IOOperator", "IOServer", "NetworkConfiguration", "PackedJSON",
                "Programs", "ServerData", arguments,
            ]),
        tests("IONode", ["IOCOM", "IOCOMTestSupport", "IOCOMTransport"] + nio),
        .testTarget(
            name: "EndToEndTests", dependencies: ["Access", "GoldenChecks", "Installers", "UpdateTesting"],
            exclude: ["Browser", "Discovery", "Peers"],
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
