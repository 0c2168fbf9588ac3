import IOCOM

/// Which devices are reachable and through which connection. Pure.
struct DeviceDirectory {
    private struct Entry {
        var link: UInt64
        var blocks = 0
    }

    private var devices: [DevicePath: Entry] = [:]
    private var numbers: [UInt32: Int] = [:]
    /// Devices whose last block went, by link; why is known a moment later, when the link tells of its end.
    private var leaving: [DevicePath: UInt64] = [:]

    /// Number of devices.
    var count: Int { devices.count }

    /// The connection that brought a device.
    func link(of device: DevicePath) -> UInt64? { devices[device]?.link }

    /// The device that a connection brought; nil when it brought none or several.
    func device(on link: UInt64) -> DevicePath? {
        let brought = devices.filter { $0.value.link == link }
        return brought.count == 1 ? brought.first?.key : nil
    }

    /// True when a device has this number.
    func hasNumber(_ number: UInt32) -> Bool { numbers[number] != nil }

    /// A block came; true for the first one of its device.
    mutating func add(_ device: DevicePath, link: UInt64) -> Bool {
        if devices[device] != nil {
            devices[device]?.blocks += 1
            return false
        }
        devices[device] = Entry(link: link, blocks: 1)
        numbers[device.number, default: 0] += 1
        return true
    }

    /// A block went.
    mutating func remove(_ device: DevicePath) {
        guard var entry = devices[device] else { return }
        entry.blocks -= 1
        devices[device] = entry.blocks > 0 ? entry : nil
        guard entry.blocks <= 0 else { return }
        leaving[device] = entry.link
        let left = numbers[device.number, default: 1] - 1
        numbers[device.number] = left > 0 ? left : nil
    }

    /// Devices that are gone and not reported yet: those of `link`, or all.
    mutating func takeLeaving(of link: UInt64? = nil) -> [DevicePath] {
        guard let link else {
            defer { leaving = [:] }
            return Array(leaving.keys)
        }
        let gone = leaving.filter { $0.value == link }.map(\.key)
        for device in gone { leaving[device] = nil }
        return gone
    }
}
