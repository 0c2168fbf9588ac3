import Access
public import IOCOM
public import IONode
import NIOCore
import ServerData

/// What the server keeps with a connection that was let in.
final class LinkContext {
    let visitor: Visitor
    /// What it may do in its network.
    let access: Access
    /// The account that let it in; nil on plain connections and for who is let in by address.
    let account: MatchedAccount?
    /// Devices whose block info was refused; each is reported once.
    var ignored: Set<DevicePath> = []
    /// When a refusal was last reported.
    var lastDenied: Milliseconds?

    init(_ visitor: Visitor, _ access: Access, _ account: MatchedAccount?) {
        self.visitor = visitor
        self.account = account
        self.access = access
    }
}

extension Server {
    /// Decides about a client (application-layer.md 7.4–7.6). On plain connections everything is allowed.
    public func authorize(_ peer: Authentication, on link: NodeLink) {
        let attempt = LoginAttempt(
            name: peer.user, number: peer.number, hasUniqueID: peer.flags.contains(.uniqueID), network: peer.network,
            password: peer.password, peer: IPAddress(peer: link.peerAddress))
        var visitor = Visitor(
            user: "\(attempt.user).\(peer.network)", network: peer.network.description, address: link.peerAddress,
            isSecure: link.isSecure)
        guard link.isSecure else {
            // A cable brings the devices at its other end and nothing more, unless the owner wants it so.
            guard !link.isSerial || link.direction == .down || takesSerialOperators else {
                return refuse(
                    link, visitor,
                    "an operator on a serial line needs no login; --insecure-plain lets whoever is there in")
            }
            // Nobody has a role there.
            let permissions = LinkPermissions(
                networks: nil, brings: .anyDevice, isHidden: { RoleBlock.isOne($0.block) })
            return admit(peer, link, visitor, .everything, permissions)
        }
        let key = LoginKey(address: link.limitedAddress, user: visitor.user)
        let generation = book.generation
        if generation != seenGeneration {
            seenGeneration = generation
            gate.forgetFailures()
        }
        guard !hasToWait(key, link, visitor) else { return }
        let bound = NIOLoopBound((self, link), eventLoop: node.loop)
        let isWanted = {
            // Asked again: others of the same key may have failed since, and each of them was a guess.
            let (server, link) = bound.value
            return link.isConnected && !server.hasToWait(key, link, visitor)
        }
        let isQueued = queue.add(attempt, from: key, isKnown: gate.knows(key), isWanted: isWanted) { decision in
            let (server, link) = bound.value
            switch decision {
            case .accepted(let authorization):
                server.gate.succeeded(key)
                visitor.role = authorization.role
                server.accepted(authorization, peer, link, visitor)
            case .refused(let refusal):
                server.gate.failed(key, refusal, now: server.node.now)
                if let refusal { server.show(refusal, link) }
                server.refuse(link, visitor, refusal?.reason.rawValue.lowercased() ?? "malformed name or network")
            }
            server.node.flushWaiting()
        }
        if !isQueued { refuse(link, visitor, "too many logins at once") }
    }

    /// Refuses a login that failed too often of late.
    private func hasToWait(_ key: LoginKey, _ link: NodeLink, _ visitor: Visitor) -> Bool {
        guard case .wait(let time, let refusal) = gate.verdict(key, now: node.now) else { return false }
        gate.countWait(key, now: node.now)
        // Who waits to be accepted stays visible.
        if let refusal { show(refusal, link) }
        refuse(link, visitor, "too many failed logins, next try in \((time + 999) / 1000) s")
        return true
    }

    private func accepted(
        _ authorization: Authorization, _ peer: Authentication, _ link: NodeLink, _ visitor: Visitor
    ) {
        guard link.isConnected else { return }
        upgrade(authorization.upgrades, password: peer.password)
        let network = authorization.network
        guard published.contains(network) else {
            return refuse(link, visitor, "network \(network) is not published here")
        }
        let role = authorization.role
        // A device and a server are the lower end of their connection, an operator is the upper one.
        guard role.isOperator == (link.direction == .up) else {
            return refuse(
                link, visitor,
                role.isOperator
                    ? "its account is for an operator (role \(role.rawValue)), and it connects as a device"
                    : "its account has no role for an operator (viewer, operator, engineer or admin)")
        }
        let brings: LinkPermissions.Brings
        switch role {
        case .device:
            guard let name = DeviceName(utf8: (0..<peer.user.count).map { peer.user[$0] }) else {
                return refuse(link, visitor, "a device name has at most 15 bytes")
            }
            // Numbers that the server gives belong to who got them.
            guard peer.number < AutomaticNumber.request else {
                return refuse(link, visitor, "number \(peer.number) is one that only a server gives")
            }
            brings = .device(name: name, number: peer.number)
        case .server: brings = .anyDevice
        case .viewer, .operator, .engineer, .admin: brings = .nothing
        }
        admit(
            peer, link, visitor, Access(role),
            LinkPermissions(
                networks: [network], brings: brings, blocks: role == .device ? limits[.blocksPerDevice] : nil,
                isHidden: hidden(from: role)), authorization.account)
    }

    private func admit(
        _ peer: Authentication, _ link: NodeLink, _ visitor: Visitor, _ access: Access,
        _ permissions: LinkPermissions, _ account: MatchedAccount? = nil
    ) {
        endOlder(peer, link)
        if let reason = census.enter(visitor) { return refuse(link, visitor, reason) }
        link.context = LinkContext(visitor, access, account)
        report(.login(visitor))
        update?.accepted()
        link.accept(permissions)
        pair(peer, on: link, visitor)
    }

    /// Ends the connections of accounts that are gone or have another role. To be called now and then.
    func endRemoved() {
        let generation = book.generation
        guard generation != reviewedGeneration else { return }
        reviewedGeneration = generation
        for link in node.connections {
            guard let context = link.context as? LinkContext, let account = context.account,
                let role = context.access.role, let users = book.accounts(of: account.network)?.users,
                !users.contains(where: { $0.user == account.user && $0.role == role })
            else { continue }
            link.end("its account was removed or has another role")
        }
    }

    /// A device that connects again while its old connection still stands: the old one is dead or will be.
    private func endOlder(_ peer: Authentication, _ link: NodeLink) {
        // There is one connection on a line. Who is at another place does not end it, nor it theirs.
        guard !link.isSerial, link.direction == .down, peer.number != 0 || peer.flags.contains(.uniqueID) else {
            return
        }
        for older in node.connections {
            guard older !== link, older.isReady, !older.isSerial, older.direction == .down,
                older.isSecure == link.isSecure,
                let other = older.peer, other.user == peer.user, other.network == peer.network,
                other.number == peer.number, peer.number != 0 || Self.isSame(other, peer)
            else { continue }
            older.end("the same device connected again from \(link.peerAddress)")
        }
    }

    /// A unique id is no secret: only with the same password it is the same device.
    private static func isSame(_ one: Authentication, _ other: Authentication) -> Bool {
        id(one) == id(other) && one.password == other.password
    }

    static func id(_ peer: Authentication) -> [UInt8]? {
        peer.flags.contains(.uniqueID) ? (0..<AutomaticNumbers.uniqueIDBytes).map { peer.uniqueID[$0] } : nil
    }

    private func refuse(_ link: NodeLink, _ visitor: Visitor, _ reason: String) {
        census.refused &+= 1
        report(.refused(visitor, reason: reason))
        link.refuse(reason)
    }

    private func show(_ refusal: Refusal, _ link: NodeLink) {
        accounts[refusal.network]?.show(refusal, from: link.peerAddress, now: node.now)
        node.flushWaiting()
    }

    private func upgrade(_ upgrades: [AccountUpgrade], password: PasswordText) {
        guard !upgrades.isEmpty else { return }
        let report = report
        queue.upgrade(upgrades, password: (0..<password.count).map { password[$0] })
            .whenFailure { report(.problem("a better password hash could not be stored: \($0)")) }
    }
}
