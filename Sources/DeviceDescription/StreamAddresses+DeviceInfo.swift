public import IOCOM

extension StreamSignal {
    /// Name of the signal without its prefix.
    var name: String {
        switch self {
        case .cmd: "cmd"
        case .select: "select"
        case .state: "state"
        case .err: "err"
        case .cs: "cs"
        case .buf: "buf"
        case .head: "head"
        case .tail: "tail"
        }
    }
}

extension StreamAddresses {
    /// The signals of one direction as a device's `info` block tells: never assumed (application-layer.md 1.4).
    ///
    /// Nil when one of the eight is missing or has another width than the streamer knows.
    public init?(
        _ direction: StreamDirection, in info: DeviceInfo, deviceBlock: String = "conf_exp",
        controllerBlock: String = "conf_imp"
    ) {
        let prefix = direction == .upload ? "tod_" : "frd_"
        func find(_ signal: StreamSignal) -> Signal? {
            let block = signal.isControllers(direction) ? controllerBlock : deviceBlock
            guard let found = info.signal(prefix + signal.name, in: block)?.signal else { return nil }
            if signal == .buf { return found.type.size == 1 && found.count >= 2 ? found : nil }
            return found.count == 1 && found.dataLength == signal.width ? found : nil
        }
        guard let ring = find(.buf), let select = find(.select) else { return nil }
        self.init(direction: direction, ringSize: ring.count, selectIsSigned: select.type == .char)
        for signal in StreamSignal.allCases {
            guard let found = find(signal) else { return nil }
            self[signal] = found.address
        }
    }
}
