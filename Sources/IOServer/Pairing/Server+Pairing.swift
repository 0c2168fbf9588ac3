import IOCOM
import IODevice
import IONode
import NIOCore
import NIOPosix
import ServerData

/// Certificates for devices that were accepted and have none.
extension Server {
    /// Time after which a device that asks again is given the certificates again.
    static let pairingPause: Milliseconds = 20_000

    /// A device that was just let in says that it has no certificates: it gets the server's once its blocks are here.
    func pair(_ peer: Authentication, on link: NodeLink, _ visitor: Visitor) {
        guard link.isSecure, link.direction == .down, peer.flags.contains(.wantsCertificate) else { return }
        let folder = folder
        let bound = NIOLoopBound((self, link), eventLoop: node.loop)
        NIOThreadPool.singleton.runIfActive(eventLoop: node.loop) { try folder.clientChain() }.whenComplete { result in
            let (server, link) = bound.value
            // Who left meanwhile would be remembered for good.
            guard link.isConnected else { return }
            switch result {
            case .success(let chain): server.pairings[link.id] = Pairing(visitor, chain)
            case .failure(let error):
                server.report(.problem("\(visitor.user) can't be given the server's certificates: \(error)"))
            }
        }
    }

    /// Goes on with the devices on whose connection something changed, or with all.
    func turnPairings(_ only: UInt64? = nil) {
        for (id, pairing) in pairings where only == nil || only == id { turn(pairing, on: id) }
    }

    private func turn(_ pairing: Pairing, on id: UInt64) {
        if pairing.upload == nil {
            guard let path = directory.device(on: id) else { return }
            if let last = lastPairing[path], node.now - last < Self.pairingPause { return }
            pairing.path = path
            pairing.upload = ChainUpload(pairing.chain, to: traffic(of: path), on: id, now: node.now)
        }
        guard let upload = pairing.upload, let path = pairing.path else { return }
        switch upload.turn(now: node.now) {
        case .goesOn: break
        case .done:
            lastPairing[path] = node.now
            report(.paired(path, by: pairing.visitor))
            end(id)
        case .failed(let reason):
            lastPairing[path] = node.now
            report(.problem("\(path) was not given the server's certificates: \(reason)"))
            end(id)
        }
    }

    /// The connection is gone. A device that took everything and restarts need not have said so.
    func endPairing(on link: UInt64) {
        if let pairing = pairings[link], pairing.upload != nil { turn(pairing, on: link) }
        end(link)
    }

    private func end(_ id: UInt64) {
        pairings.removeValue(forKey: id)?.upload?.stop()
        lastPairing = lastPairing.filter { node.now - $0.value < Self.pairingPause }
    }
}

/// A device that is being given the server's certificates.
final class Pairing {
    let visitor: Visitor
    let chain: [UInt8]
    var path: DevicePath?
    var upload: ChainUpload?

    init(_ visitor: Visitor, _ chain: [UInt8]) {
        self.visitor = visitor
        self.chain = chain
    }
}
