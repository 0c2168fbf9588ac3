import Foundation
import Testing
import UpdateTesting

extension EndToEnd {
    @Suite(.serialized) struct HostilePeers {
        @Test
        func `Bad peers harm no session of others`() async throws {
            let world = try await World.start()
            let candy = try await world.candy(image: try await Images.make("261101-0800"))
            let recorder = try ChaosProxy(to: world.tcp.port, counting: .toServer)
            let payload = try await Images.make("261124-1200")
            let recorded = try await world.ispy(
                "block", "write", "candy3.cafenet", "14", payload, at: "tcp://127.0.0.1:\(recorder.port)")
            #expect(recorded.status == 0, "\(recorded)")
            let conversation = recorder.recording
            #expect(conversation.count > 10_000)

            // An operator's session that has to live through all of it.
            let session = try world.startISpy(["signals", "candy3.cafenet", "--watch", "--json"])
            try await eventually("signals are shown") { session.output.isEmpty ? nil : true }
            let ports = [world.tls.port, world.tcp.port]
            var random = SeededGenerator(seed: 99)
            var held: [Socket] = []

            for port in ports {
                // Silent, and half a handshake.
                for _ in 0..<20 { held.append(try Socket.connect(port)) }
                for count in 1..<20 {
                    let peer = try Socket.connect(port)
                    peer.write(conversation.prefix(count * 3))
                    held.append(peer)
                }
                for _ in 0..<100 {
                    let peer = try Socket.connect(port)
                    peer.write(random.bytes(Int.random(in: 1...5_000, using: &random)))
                }
            }
            var mutants = 0
            for _ in 0..<(Place.isFull ? 3_000 : 300) {
                var mutated = conversation.prefix(Int.random(in: 100...conversation.count, using: &random))
                for _ in 0..<Int.random(in: 1...6, using: &random) {
                    let at = Int.random(in: 0..<mutated.count, using: &random)
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: mutated[at] = UInt8.random(in: 0...255, using: &random)
                    case 1: mutated[at] ^= 1 << Int.random(in: 0..<8, using: &random)
                    case 2 where mutated.count > 10: mutated.remove(at: at)
                    default: mutated.insert(UInt8.random(in: 0...255, using: &random), at: at)
                    }
                }
                let peer = try Socket.connect(world.tcp.port)
                peer.write(mutated)
                mutants += 1
            }

            // 500 that only sit there while a block is moved.
            for index in 0..<500 { held.append(try Socket.connect(ports[index % 2])) }
            let copy = world.folder.path + "/copy"
            let write = try await world.ispy("block", "write", "candy3.cafenet", "14", payload)
            #expect(write.status == 0, "\(write) \(world.frank.report.suffix(2_000))")
            let read = try await world.ispy("block", "read", "candy3.cafenet", "14", copy)
            #expect(read.status == 0, "\(read)")
            #expect(try Images.bytes(copy) == Images.bytes(payload))

            // Nobody who says nothing is kept: the login has 10 s.
            for (index, peer) in held.enumerated() { #expect(Self.isClosed(peer, seconds: 20), "connection \(index)") }
            #expect(session.status == nil, "the operator's session ended: \(session.errors)")
            session.signal(SIGTERM)
            _ = try await session.end()
            let update = try await world.ispy("program", "write", "candy3.cafenet", payload)
            #expect(update.status == 0, "\(update)")
            let memory = try #require(world.frank.peakMemory)
            #expect(memory < 150_000, "frank took \(memory) KiB")
            Place.note(
                "hostile peers: \(held.count) idle or half, 200 garbage, \(mutants) mutants; frank \(memory) KiB")
            try await candy.stop()
            try await world.stop()
        }

        /// Reads what comes until the other side closes.
        static func isClosed(_ peer: Socket, seconds: Int) -> Bool {
            var limit = timeval(tv_sec: seconds, tv_usec: 0)
            setsockopt(peer.descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let got = Glibc.read(peer.descriptor, &buffer, buffer.count)
                if got == 0 || got < 0 && errno == ECONNRESET { return true }
                if got < 0 && errno != EINTR { return false }
            }
        }

        @Test func `No program holds a package in memory twice`() async throws {
            let megabytes = Place.isFull ? 64 : 12
            let world = try await World.start()
            let candy = try await world.candy(3, ["--ring", "1048576"], hardware: "linux")
            var random = SeededGenerator(seed: 64)
            let file = try world.folder.write("large", random.bytes(megabytes << 20))
            let before = try #require(candy.peakMemory)
            let ispy = try world.startISpy(["block", "write", "candy3.cafenet", "14", file, "--json"])
            var peak = 0
            let result = try await eventually("the end of \(ispy.report)", seconds: 300) { () -> Int32? in
                peak = max(peak, ispy.peakMemory ?? 0)
                return ispy.status
            }
            #expect(result == 0, "\(ispy.report)")
            let frank = try #require(world.frank.peakMemory)
            let device = try #require(candy.peakMemory)
            #expect(frank < 80 << 10, "frank \(frank) KiB")
            #expect(device - before < 40 << 10, "candy \(before) -> \(device) KiB")
            #expect(peak < 80 << 10, "ispy \(peak) KiB")
            Place.note("memory while \(megabytes) MiB passed: frank \(frank), candy \(device), ispy \(peak) KiB")
            try await candy.stop()
            try await world.stop()
        }
    }
}
