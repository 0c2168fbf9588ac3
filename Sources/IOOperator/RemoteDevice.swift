public import DeviceDescription
import Glibc
import IOCOM
import IONode

/// A device as an operator's session knows it. Confined to the session's loop.
final class RemoteDevice {
    let path: DevicePath
    let link: NodeLink
    /// Blocks the server told of, taken over or not.
    var offers: [BlockName: BlockInfo] = [:]
    /// Blocks whose data comes.
    var blocks: [BlockName: MemoryBlock] = [:]
    /// Blocks of which a first snapshot has come.
    var received: Set<BlockName> = []
    /// What the device tells of itself, once its `info` block is here.
    var info: DeviceInfo?
    /// Why its `info` block cannot be used.
    var problem: String?
    /// When it was first seen, seconds since 1970.
    let appeared = Int64(time(nil))

    /// A number that no other appearance of a device has in this session.
    let arrival: UInt64

    init(path: DevicePath, link: NodeLink, arrival: UInt64) {
        self.path = path
        self.arrival = arrival
        self.link = link
    }

    /// True when what a list shows is here.
    var isComplete: Bool {
        (info != nil || problem != nil || offers["info"] == nil) && (received.contains("exp") || offers["exp"] == nil)
    }

    func text(_ signal: String) -> String? {
        guard case .text(let text)? = value(signal, in: "exp"), !text.isEmpty else { return nil }
        return text
    }

    func integer(_ signal: String) -> Int? {
        guard case .integer(let value)? = value(signal, in: "exp") else { return nil }
        return Int(exactly: value)
    }

    func value(_ signal: String, in block: String) -> SignalValue? {
        guard let memory = BlockName(block).flatMap({ blocks[$0] }), let found = info?.signal(signal, in: block)?.signal
        else { return nil }
        return found.value(in: memory)
    }

    /// The signals of blocks with their values, in the order of the description.
    func readings(of blocks: [BlockDescription]) -> [SignalReading] {
        blocks.flatMap { block in
            block.groups.flatMap { group in
                group.signals.map { SignalReading($0, group: group.name, block: block, of: self) }
            }
        }
    }

    var summary: DeviceSummary {
        DeviceSummary(
            path: path.description, application: info.map(\.name).flatMap { $0.isEmpty ? nil : $0 } ?? "\(path.name)",
            version: text("upd_version") ?? text("si_package"), os: text("si_os"),
            hardware: text("si_hw") ?? text("si_arch"), architecture: text("si_arch"), update: update,
            configuration: configuration, arrival: arrival,
            uptimeMinutes: integer("rm_boottime"), appeared: appeared,
            assemblies: info?.assemblies.map { AssemblySummary(name: $0.name, kind: $0.kind) } ?? [], problem: problem)
    }

    var configuration: ConfigurationStatus? {
        guard let code = integer("cfg_state") else { return nil }
        return ConfigurationStatus(
            state: ConfigurationStatus.State(rawValue: code) ?? .inForce, error: text("cfg_error"))
    }

    var update: UpdateStatus? {
        guard let code = integer("upd_state") else { return nil }
        return UpdateStatus(
            phase: UpdatePhase(rawValue: Int64(code)) ?? .idle, progress: integer("upd_progress") ?? 0,
            version: text("upd_version"), previous: text("upd_previous"), slot: text("upd_slot"),
            error: text("upd_error"), text: text("upd_text"), keys: integer("upd_keys"))
    }
}

/// One line of a device list.
public struct DeviceSummary: Sendable, Equatable {
    /// `candy3.cafenet`.
    public let path: String
    /// Application; the device name when the device does not say more.
    public let application: String
    /// Version of the running program; nil when the device does not say.
    public let version: String?
    /// Operating system.
    public let os: String?
    /// Hardware.
    public let hardware: String?
    /// Architecture of its processor.
    public let architecture: String?
    /// State of program updates; nil for devices without the `update` signals (the original's).
    public let update: UpdateStatus?
    /// Where its configuration stands; nil for devices without the `config` signals (the original's).
    public let configuration: ConfigurationStatus?
    /// Changes when the device was away.
    public let arrival: UInt64
    /// Minutes since the program started; nil when the device does not say.
    public let uptimeMinutes: Int?
    /// When this operator first saw it, seconds since 1970.
    public let appeared: Int64
    /// Its cameras.
    public let assemblies: [AssemblySummary]
    /// Why the device's description cannot be used.
    public let problem: String?

    /// State for people.
    public var state: String { problem.map { "unreadable: \($0)" } ?? update?.phase.text ?? "connected" }
}

/// A camera of a device.
public struct AssemblySummary: Sendable, Equatable {
    /// Name.
    public let name: String
    /// Kind such as `cam_flat` or `lcam_ring`.
    public let kind: String
}

/// What a device says about program updates (DESIGN.md section 5).
public struct UpdateStatus: Sendable, Equatable {
    /// Phase.
    public let phase: UpdatePhase
    /// 0…100 while receiving.
    public let progress: Int
    /// Running version.
    public let version: String?
    /// Version before, that a roll-back would return to.
    public let previous: String?
    /// Slot or partition that runs.
    public let slot: String?
    /// Reason of the latest failure or roll-back.
    public let error: String?
    /// What the tool says that installs, its last lines.
    public let text: String?
    /// Keys that the device trusts for packages, more than none when it takes signed ones only; nil when it does not know of
    /// signatures.
    public let keys: Int?
}
