import DeviceDescription
import DeviceStorage
import IOCOM
import IODevice
import IONode
import ServerData

/// A device that the server is itself: its blocks and its control streams. Confined to the loop.
struct OwnDevice {
    let blocks: DeviceBlocks
    let streams: ControlStreams

    init(
        _ info: DeviceInfo, path: DevicePath, on node: Node, service: any BlockService,
        report: @escaping (ControlStreamEvent) -> Void
    ) throws(DeviceSetupError) {
        // Nothing of a server is shown to the devices below it (application-layer.md 1.2).
        blocks = try DeviceBlocks(info, path: path, on: node, flags: .floor)
        streams = ControlStreams(
            node: node, upload: try blocks.streamPort(.upload), download: try blocks.streamPort(.download),
            service: service, report: report)
    }

    /// True when nothing waits to be sent, and nothing that has to be sent first.
    var isDrained: Bool { blocks.isDrained && !streams.isAtWork }
}

/// The pseudo-device `accounts<k>` of a published network, with its rows of devices that wait to be let in.
final class AccountsDevice {
    let device: OwnDevice
    private var rows = NewDeviceNotifications()

    init(_ device: OwnDevice) { self.device = device }

    /// Shows a login that was refused.
    func show(_ refusal: Refusal, from address: String, now: Milliseconds) {
        write(rows.record(refusal, peer: address, now: now))
        device.blocks.publish()
    }

    /// Clears rows that were not refreshed; true when something changed.
    func tick(now: Milliseconds) -> Bool {
        let changes = rows.tick(now: now)
        for change in changes { write(change) }
        if !changes.isEmpty { device.blocks.publish() }
        return !changes.isEmpty
    }

    private func write(_ change: NewDeviceNotifications.Change) {
        let row = change.row
        let state: StateBits = row == nil ? [] : .connected
        let texts = [
            ("text", row?.text), ("name", row?.name), ("password", row?.password), ("privileges", row?.privileges),
            ("ip", row?.ip),
        ]
        for (name, text) in texts {
            device.blocks.set("new\(change.number)_\(name)", .text(text ?? ""), state: state)
        }
        device.blocks.set("new\(change.number)_count", .integer(Int64(row?.count ?? 0)), state: state)
    }
}
