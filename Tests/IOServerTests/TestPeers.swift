import ByteTools
import DeviceDescription
import DeviceStorage
import Foundation
import Glibc
import IOCOM
import IOCOMTransport
import IODevice
import IONode
import IOOperator
import NIOCore
import NIOPosix
import Synchronization

/// A device that serves blocks from a folder of its own, with a ring of 4 KiB.
final class TestDevice: Sendable {
    private let device: NIOLoopBound<Device>
    private let loop: any EventLoop
    private let folder: String

    /// Connects over TLS, or plain when there is no password. Tries again as devices do.
    init(
        _ name: DeviceName, _ number: UInt32, _ network: NetworkName = "cafenet", at fixture: ServerFixture,
        password: PasswordText? = PasswordText(ServerFixture.devicePassword), uniqueID: [UInt8]? = nil
    ) async throws {
        var template = Array("/tmp/frank-device-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw ServerFixtureError("no temporary folder") }
        let folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        self.folder = folder
        let store = try FilePersistentStore(folder: folder)
        let info = try DeviceInfo(
            name: "\(name)",
            blocks: [
                BlockDescription("exp", .up, [StandardSignals.systemSpecification]), BlockDescription("imp", .down, []),
                .configurationExport(ring: 4096), .configurationImport(ring: 4096),
            ])
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        self.loop = loop
        let tls = try TLSClientSettings(trustFile: fixture.trust).makeClient()
        let address = password == nil ? fixture.plain : fixture.tls
        device = try await loop.submit {
            var id: Authentication.UniqueID?
            if let uniqueID, uniqueID.count == 12 {
                var bytes = Authentication.UniqueID(repeating: 0)
                for i in 0..<12 { bytes[i] = uniqueID[i] }
                id = bytes
            }
            guard let user = UserName("\(name)") else { throw ServerFixtureError("name too long") }
            let device = try Device(
                identity: NodeIdentity(name: user, number: number, network: network, uniqueID: id), info: info,
                service: DeviceBlockService(store: store, defaults: [], installer: nil),
                server: ServerConnection(
                    address: address, tls: tls, password: password ?? PasswordText(), pause: 100...200), commands: [],
                on: loop)
            device.start()
            return NIOLoopBound(device, eventLoop: loop)
        }.get()
    }

    func stop() async {
        let device = device
        try? await loop.submit { device.value.stop() }.get()
        ServerFixture.remove(folder)
    }
}

extension ServerFixture {
    /// An operator over TLS.
    func makeOperator(
        _ user: UserName = "root", _ network: NetworkName = "cafenet", password: PasswordText = "pass"
    ) async throws -> Operator {
        try await Operator.connect(
            OperatorConnection(
                address: tls, user: user, network: network, password: password,
                trust: TLSClientSettings(trustFile: trust)))
    }

    /// Paths that an operator sees.
    static func paths(_ session: Operator) async throws -> [String] { try await session.devices().map(\.path) }
}

extension Operator {
    /// Writes bytes into a block; the status.
    func write(_ bytes: [UInt8], block: Int, of path: DevicePath) async throws -> StreamStatus? {
        let result = try await write(ArraySource(bytes), to: block, of: path, progress: { _ in })
        if let failure = result.failure { print("write \(block) of \(path): \(failure)") }
        return result.status
    }

    /// Reads a block.
    func read(block: Int, of path: DevicePath) async throws -> (bytes: [UInt8], status: StreamStatus?) {
        let box = Collected()
        let result = try await read(block: block, of: path, append: { box.add($0) }, progress: { _ in })
        if let failure = result.failure { print("read \(block) of \(path): \(failure)") }
        return (box.all, result.status)
    }
}

private final class Collected: Sendable {
    private let bytes = Mutex<[UInt8]>([])
    func add(_ piece: [UInt8]) { bytes.withLock { $0 += piece } }
    var all: [UInt8] { bytes.withLock { $0 } }
}

/// A bare TCP client for peers that do not follow the protocol. Blocking calls with short time-outs.
final class RawPeer: Sendable {
    private let descriptor: Int32

    init?(port: Int) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            close(descriptor)
            return nil
        }
    }

    deinit { close(descriptor) }

    /// Sends bytes as far as the other end takes them.
    func send(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    /// Reads until the other end closes; false when nothing came for `seconds`.
    func isClosed(within seconds: Int) async -> Bool {
        // The threads of tests are few.
        await withCheckedContinuation { done in
            Thread.detachNewThread { done.resume(returning: self.readToEnd(within: seconds)) }
        }
    }

    private func readToEnd(within seconds: Int) -> Bool {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 || (count < 0 && errno == ECONNRESET) { return true }
            if count < 0 { return false }
        }
    }
}
