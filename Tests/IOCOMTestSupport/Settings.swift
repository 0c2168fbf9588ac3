public import IOCOM

extension ConnectionSettings {
    /// A device that connects up.
    public static func device(
        _ name: UserName = "gina", number: UInt32 = 1, secure: Bool = false, frame: Int = 1392,
        layout: FrameLayout = .socket, bidirectional: Bool = false
    ) -> ConnectionSettings {
        ConnectionSettings(
            side: .client, direction: .up, layout: layout, isSecure: secure, user: name, number: number,
            network: "cafenet", password: "secret1", isBidirectional: bidirectional, frameSize: frame, lend: heapMemory)
    }

    /// An operator: connects to a server, which is the lower end then.
    public static func operating(
        _ name: UserName = "root", secure: Bool = false, frame: Int = 1392, layout: FrameLayout = .socket,
        bidirectional: Bool = true
    ) -> ConnectionSettings {
        ConnectionSettings(
            side: .client, direction: .down, layout: layout, isSecure: secure, user: name, number: 0,
            network: "cafenet",
            password: "pass123", isBidirectional: bidirectional, frameSize: frame, lend: heapMemory)
    }

    /// A server that accepted a connection.
    public static func server(
        _ name: UserName = "server", number: UInt32 = 0, secure: Bool = false, frame: Int = 1392,
        layout: FrameLayout = .socket, bidirectional: Bool = true
    ) -> ConnectionSettings {
        ConnectionSettings(
            side: .listener, direction: .down, layout: layout, isSecure: secure, user: name, number: number,
            network: "cafenet", isBidirectional: bidirectional, frameSize: frame, lend: heapMemory)
    }
}

extension BlockPath {
    /// A block of the device `gina1.cafenet`.
    public static func gina(_ block: BlockName) -> BlockPath {
        BlockPath(block: block, device: DevicePath(name: "gina", number: 1, network: "cafenet"))
    }
}
