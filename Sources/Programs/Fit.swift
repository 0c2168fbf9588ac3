/// What is known of a device when a package is chosen for it; the `si_*` signals tell it (application-layer.md 6.4).
public struct ProgramTarget: Sendable, Equatable {
    /// Device name without number.
    public var application: String
    /// Operating system; nil when the device does not say.
    public var os: String?
    /// Hardware; nil when the device does not say.
    public var hardware: String?
    /// The version that runs; nil when unknown.
    public var version: ProgramVersion?

    /// A target.
    public init(application: String, os: String?, hardware: String?, version: ProgramVersion?) {
        self.application = application
        self.os = os
        self.hardware = hardware
        self.version = version
    }
}

/// Whether a package is for a device, and how old it is beside the program that runs.
public enum Fit: Sendable, Equatable {
    /// One reason why a package is not for a device.
    public enum Mismatch: Sendable, Equatable, CustomStringConvertible {
        /// Made for another application.
        case application(package: String, device: String)
        /// Made for another operating system.
        case os(package: String, device: String)
        /// Made for other hardware.
        case hardware(package: String, device: String)
        /// The device does not say what it is; a guess could be the wrong program.
        case unknown(String)

        /// The reason for people.
        public var description: String {
            switch self {
            case .application(let package, let device): "is the application \(package), the device runs \(device)"
            case .os(let package, let device): "is for \(package), the device has \(device)"
            case .hardware(let package, let device): "is for hardware \(package), the device is \(device)"
            case .unknown(let what): "the device does not say its \(what)"
            }
        }
    }

    /// Age of a package beside the running program.
    public enum Age: Sendable, Equatable {
        /// Built later.
        case newer
        /// The same version.
        case same
        /// Built earlier.
        case older
        /// The device's version is not known.
        case unknown
    }

    /// It is for this device.
    case fits(Age)
    /// It is not, and why; at least one reason.
    case unfit([Mismatch])

    /// Judges a package by its name.
    public init(_ name: PackageName, for target: ProgramTarget) {
        self.init(
            application: name.application, os: name.os, hardware: name.hardware, version: name.version, for: target)
    }

    /// Judges a package by what it is said to be.
    init(application: String, os: String, hardware: String, version: ProgramVersion, for target: ProgramTarget) {
        var mismatches: [Mismatch] = []
        if application != target.application {
            mismatches.append(.application(package: application, device: target.application))
        }
        if let device = target.os {
            if device != os { mismatches.append(.os(package: os, device: device)) }
        } else {
            mismatches.append(.unknown("operating system"))
        }
        if let device = target.hardware {
            if device != hardware { mismatches.append(.hardware(package: hardware, device: device)) }
        } else {
            mismatches.append(.unknown("hardware"))
        }
        guard mismatches.isEmpty else {
            self = .unfit(mismatches)
            return
        }
        guard let running = target.version else {
            self = .fits(.unknown)
            return
        }
        self = .fits(version > running ? .newer : version == running ? .same : .older)
    }
}
