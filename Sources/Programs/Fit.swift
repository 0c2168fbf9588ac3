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
        var mismatches: [Mismatch] = []
        if name.application != target.application {
            mismatches.append(.application(package: name.application, device: target.application))
        }
        switch target.os {
        case nil: mismatches.append(.unknown("operating system"))
        case .some(let os): if os != name.os { mismatches.append(.os(package: name.os, device: os)) }
        }
        switch target.hardware {
        case nil: mismatches.append(.unknown("hardware"))
        case .some(let hardware):
            if hardware != name.hardware { mismatches.append(.hardware(package: name.hardware, device: hardware)) }
        }
        guard mismatches.isEmpty else {
            self = .unfit(mismatches)
            return
        }
        guard let version = target.version else {
            self = .fits(.unknown)
            return
        }
        self = .fits(name.version > version ? .newer : name.version == version ? .same : .older)
    }
}
