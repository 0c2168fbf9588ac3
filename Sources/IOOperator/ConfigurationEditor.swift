import ByteTools
public import IOCOM
public import NetworkConfiguration
public import PackedJSON

/// The network configuration of a device: read, checked, written, put in force.
public struct ConfigurationEditor: Sendable {
    /// What a device has.
    public struct Stored: Sendable, Equatable {
        /// What is built in (block 3).
        public var defaults: JSON
        /// What is stored (block 2); nil when the device has none of its own.
        public var own: JSON?
        /// Node settings (block 11), which count over it; nil when there are none, or none of use.
        public var settings: NodeSettings?

        /// What to change: the own one, or an empty one.
        public var editable: JSON { own ?? ["network": .object([])] }
    }

    /// How a restart with a new configuration ended.
    public enum Outcome: Sendable, Equatable {
        /// The device is back under this name and its configuration is in force.
        case inForce(DevicePath)
        /// The device put its last good configuration back; the text says why.
        case putBack(String)
        /// What is known instead.
        case unknown(String)
    }

    private static let ownBlock = 2
    private static let defaultsBlock = 3
    private static let settingsBlock = 11

    private let access: Operator
    private let path: DevicePath

    /// The configuration of `path`.
    public init(_ access: Operator, of path: DevicePath) {
        self.access = access
        self.path = path
    }

    // MARK: Reading and writing

    /// Reads both blocks.
    public func read() async throws -> Stored {
        let defaults = try await access.document(inBlock: Self.defaultsBlock, of: path)
        let own = try await access.document(inBlock: Self.ownBlock, of: path)
        let settings = try await access.bytes(ofBlock: Self.settingsBlock, of: path)
        return Stored(
            defaults: defaults ?? .object([]), own: own, settings: settings.flatMap { try? NodeSettings(reading: $0) })
    }

    /// Checks `document` and stores it in the place of `before`. Throws ``ConfigurationProblems`` for a document that is not valid,
    /// and refuses when the device's configuration has changed since `before` was read.
    public func write(_ document: JSON, inPlaceOf before: JSON?) async throws {
        let packed = try Self.packed(document, for: path)
        guard try await access.document(inBlock: Self.ownBlock, of: path) == before else {
            throw OperatorError(
                .refused, "the configuration of \(path) was changed by somebody else meanwhile; read it again")
        }
        let result = try await access.write(ArraySource(packed), to: Self.ownBlock, of: path) { _ in }
        if let failure = result.failure { throw failure }
    }

    /// The bytes of block 2 for a document that is valid; throws ``ConfigurationProblems`` for one that is not.
    public static func packed(_ document: JSON, for path: DevicePath) throws -> [UInt8] {
        let problems = NetworkSchema.problems(in: document)
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
        let packed = try document.packed()
        guard packed.count <= NetworkSchema.largestDocument else {
            throw ConfigurationProblems([
                FieldProblem(
                    "document", "is \(packed.count) bytes; \(path) takes \(NetworkSchema.largestDocument)")
            ])
        }
        return packed
    }

    // MARK: Restarting

    /// How long a device may not obey a command after a restart; then it is told again.
    private static let tellAgain: Double = 7
    private static let mostTellings = 3

    /// Restarts the device and waits until it is back; throws when it does not go.
    public func restart(seconds: Double = 60) async throws {
        try await tellToRestart("reboot")
        let back = try await access.waitForDevice(path, seconds: seconds) { $0 }
        if back == nil {
            throw OperatorError(
                .failed, "\(path) restarted and has not come back within \(Int(seconds)) s; look at it and its network")
        }
    }

    /// Gives a command that makes the device restart, until it goes. Its name may be another one then.
    public func tellToRestart(_ command: String) async throws {
        let arrival = try await access.device(path).arrival
        for _ in 0..<Self.mostTellings {
            do { try await access.command([(command, "true")], of: path) } catch let error as OperatorError {
                // It goes while it is being told: what it was told before had been late.
                guard error.kind == .deviceNotFound else { throw error }
            }
            let went = try await access.waitForDevice(path, seconds: Self.tellAgain) { summary in
                summary?.arrival == arrival ? nil : true
            }
            if went != nil { return }
        }
        throw OperatorError(.failed, "\(path) was told \(command) and did not restart")
    }

    /// Restarts the device into what is stored, and follows it until that is in force or the last good one is back. `name` is what the
    /// device is called then, as far as the configuration says.
    public func putInForce(_ name: ExpectedName, seconds: Double) async throws -> Outcome {
        let known = Set(try await access.devices().map(\.path))
        let knowsTrials = try await access.device(path).configuration != nil
        try await tellToRestart("reboot")
        return try await follow(name, known, knowsTrials, seconds)
    }

    /// Has the device put its last good configuration back, and follows it.
    public func goBack(seconds: Double) async throws -> Outcome {
        let before = try await access.device(path)
        guard before.configuration != nil else {
            throw OperatorError(.notSupported, "\(path) does not keep its last good configuration")
        }
        let known = Set(try await access.devices().map(\.path))
        try await access.command([("cfg_back", "true")], of: path)
        let answer = try await access.waitForDevice(path, seconds: 10) { summary -> Answer? in
            guard let summary, summary.arrival == before.arrival else { return .restarts }
            guard let now = summary.configuration, now != before.configuration else { return nil }
            if now.state == .putBack, before.configuration?.state != .putBack { return .done }
            if let error = now.error, error != before.configuration?.error { return .refused(error) }
            return nil
        }
        switch answer {
        case .restarts?: break
        case .refused(let reason)?: throw OperatorError(.refused, "\(path): \(reason)")
        case nil:
            throw OperatorError(.failed, "\(path): \(before.configuration?.error ?? "it did not answer; try again")")
        case .done?:
            // What waited is gone; a device that ran with it restarts.
            let isStill =
                try await access.waitForDevice(path, seconds: 2) { $0?.arrival == before.arrival ? nil : true } == nil
            if isStill { return .inForce(path) }
        }
        return try await follow(ExpectedName(path: path, isSure: false), known, true, seconds, backIsGood: true)
    }

    /// How a device answers the wish to go back.
    private enum Answer: Sendable {
        case restarts
        case done
        case refused(String)
    }

    /// What a device is expected to be called after a restart.
    public struct ExpectedName: Sendable, Equatable {
        /// Its path, the number not counting when it is not sure.
        public var path: DevicePath
        /// False when the server gives the number.
        public var isSure: Bool

        /// Composes a name.
        public init(path: DevicePath, isSure: Bool) {
            self.path = path
            self.isSure = isSure
        }

        /// The name that `stored` gives the device that is `path` now.
        public init(_ stored: Stored, now path: DevicePath) {
            let configured = NetworkConfiguration(reading: stored.editable)
                .over(NetworkConfiguration(reading: stored.defaults))
            let merged = stored.settings?.over(configured) ?? configured
            var next = path
            var isSure = true
            if let name = merged.deviceName.flatMap({ DeviceName($0) }) { next.name = name }
            if let network = merged.networkName, network != "*", let name = NetworkName(network) { next.network = name }
            switch merged.deviceNumber {
            case .number(let number)?: next.number = number
            case .automatic?: isSure = path.number > NumberSetting.largest && next.name == path.name
            case nil: break
            }
            self.init(path: next, isSure: isSure)
        }
    }

    private func follow(
        _ name: ExpectedName, _ known: Set<String>, _ knowsTrials: Bool, _ seconds: Double, backIsGood: Bool = false
    ) async throws -> Outcome {
        let path = path
        let outcome = try await access.waitForDevices(named: [path.name, name.path.name], seconds: seconds) {
            devices -> Outcome? in
            for device in devices {
                guard let found = DevicePath(device.path) else { continue }
                let isExpected =
                    found == name.path
                    || !name.isSure && found.name == name.path.name && (found == path || !known.contains(device.path))
                guard isExpected || found == path else { continue }
                guard knowsTrials else {
                    if isExpected { return .inForce(found) }
                    continue
                }
                switch device.configuration?.state {
                case .inForce? where isExpected: return .inForce(found)
                case .putBack? where backIsGood: return .inForce(found)
                case .putBack?: return .putBack(device.configuration?.error ?? "it gave no reason")
                case .saved?:
                    if let error = device.configuration?.error { return .unknown("\(found): \(error)") }
                case .inForce?, .trial?, nil: break
                }
            }
            return nil
        }
        return outcome
            ?? .unknown(
                "\(path) has not come back within \(Int(seconds)) s; it may be at another server or in another network now"
            )
    }
}
