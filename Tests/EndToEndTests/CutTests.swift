import Foundation
import Testing
import UpdateTesting

private let old = "261101-0800"
private let new = "261124-1200"

extension EndToEnd {
    /// Links that break and programs that are killed in the middle of an upload.
    @Suite(.serialized) struct Cuts {
        /// Places where a link is cut, on each side of frank.
        private static let linkCuts = Place.isFull ? 100 : 10
        /// Places where a program is killed, of each of ispy, frank and candy.
        private static let kills = Place.isFull ? 25 : 2

        /// A device with a proxy on each side of frank.
        private struct Bench {
            let world: World
            let number: Int
            let toFrank: ChaosProxy
            let toCandy: ChaosProxy
            let candy: RunningProgram
            let package: String
            let size: Int

            var device: String { "candy\(number).cafenet" }
            var operatorAddress: String { "tls://127.0.0.1:\(toFrank.port)" }

            init(_ world: World, _ number: Int = 3) async throws {
                self.world = world
                self.number = number
                toFrank = try ChaosProxy(to: world.tls.port, counting: .toServer)
                toCandy = try ChaosProxy(to: world.tls.port, counting: .toClient)
                candy = try await world.candy(
                    number, image: try await Images.make(old), at: "tls://127.0.0.1:\(toCandy.port)")
                package = try await Images.make(new, size: 150_000)
                size = try Images.bytes(package).count
            }

            private init(_ bench: Bench, _ world: World, _ candy: RunningProgram) {
                self.world = world
                self.candy = candy
                number = bench.number
                toFrank = bench.toFrank
                toCandy = bench.toCandy
                package = bench.package
                size = bench.size
            }

            /// The same with a server or a device that was started again.
            func with(world: World? = nil, candy: RunningProgram? = nil) -> Bench {
                Bench(self, world ?? self.world, candy ?? self.candy)
            }

            /// Bytes after which place `index` of `count` lies; all are after the login and before the last byte.
            func place(_ index: Int, of count: Int, login: Int) -> Int { login + size * (2 * index + 1) / (2 * count) }

            /// Starts the upload through the proxy.
            func write() throws -> RunningProgram {
                try world.startISpy(["program", "write", device, package, "--json"], at: operatorAddress)
            }

            /// Waits until candy has given the upload up, for the `count`-th time.
            func abandoned(_ count: Int) async throws {
                try await candy.line("update: failed", count: count, seconds: 30)
            }

            /// The old program runs, and has not been started again.
            func expectOld(starts: Int = 1, _ what: String) async throws {
                let state = try await world.status(device)
                #expect(state.version == old, "\(what): \(state)")
                #expect(candy.count("started candy") == starts, "\(what): \(candy.report)")
            }

            /// A write without disturbance works.
            func expectGoodWrite() async throws {
                toFrank.release()
                toCandy.release()
                let good = try await write().end()
                #expect(good.status == 0, "\(good) \(candy.report)")
                #expect(try await world.status(device).version == new)
            }

            /// Bytes that an operator sends before an upload begins.
            func loginBytes() async throws -> Int {
                toFrank.arm(nil)
                let status = try await world.startISpy(
                    ["program", "status", device], at: operatorAddress
                ).end()
                #expect(status.status == 0)
                return toFrank.moved
            }
        }

        /// Runs `body` for places 0..<count, on as many devices at a time as are useful.
        private func each(
            _ count: Int, _ body: @escaping @Sendable (Bench, Range<Int>) async throws -> Void
        ) async throws {
            let world = try await World.start()
            _ = try await Images.make(old)
            _ = try await Images.make(new, size: 150_000)
            // A device whose operator vanished waits 5 s for it: several devices wait at the same time.
            let devices = Place.isFull ? 5 : 2
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<devices {
                    group.addTask {
                        let bench = try await Bench(world, 3 + index)
                        try await body(bench, count * index / devices..<count * (index + 1) / devices)
                        try await bench.expectGoodWrite()
                        try await bench.candy.stop()
                    }
                }
                try await group.waitForAll()
            }
            try await world.stop()
        }

        @Test
        func `A link that breaks between ispy and frank leaves the old program`() async throws {
            let count = Self.linkCuts
            try await each(count) { bench, places in
                let login = try await bench.loginBytes()
                for (nth, index) in places.enumerated() {
                    bench.toFrank.arm(bench.place(index, of: count, login: login))
                    let result = try await bench.write().end()
                    #expect([1, 3, 5].contains(result.status), "\(result)")
                    #expect(bench.toFrank.cuts == nth + 1, "no cut: \(result)")
                    try await bench.abandoned(nth + 1)
                    try await bench.expectOld("place \(index)")
                }
            }
            Place.note("link cuts between ispy and frank: \(count), old program after each, next write good")
        }

        @Test
        func `A link that breaks between candy and frank leaves the old program`() async throws {
            let count = Self.linkCuts
            try await each(count) { bench, places in
                for (nth, index) in places.enumerated() {
                    bench.toCandy.arm(bench.place(index, of: count, login: 0))
                    let result = try await bench.write().end()
                    #expect([1, 3, 5].contains(result.status), "\(result)")
                    #expect(bench.toCandy.cuts == nth + 1, "no cut: \(result)")
                    try await bench.candy.line(": connected to", count: nth + 2)
                    try await bench.expectOld("place \(index)")
                }
            }
            Place.note("link cuts between candy and frank: \(count), old program after each, next write good")
        }

        @Test
        func `ispy that is killed leaves the old program`() async throws {
            let count = Self.kills
            try await each(count) { bench, places in
                let login = try await bench.loginBytes()
                for (nth, index) in places.enumerated() {
                    bench.toFrank.arm(bench.place(index, of: count, login: login), holds: true)
                    let ispy = try bench.write()
                    try await bench.toFrank.held()
                    try await ispy.kill()
                    bench.toFrank.cut()
                    bench.toFrank.release()
                    try await bench.abandoned(nth + 1)
                    try await bench.expectOld("place \(index)")
                }
            }
            Place.note("ispy killed: \(count) times, old program after each, next write good")
        }

        @Test func `frank that is killed leaves the old program`() async throws {
            var bench = try await Bench(try await World.start())
            let login = try await bench.loginBytes()
            for index in 0..<Self.kills {
                bench.toFrank.arm(bench.place(index, of: Self.kills, login: login), holds: true)
                let ispy = try bench.write()
                try await bench.toFrank.held()
                try await bench.world.frank.kill()
                bench.toFrank.release()
                #expect([1, 3, 5].contains(try await ispy.end().status))
                bench = bench.with(world: try await bench.world.restarted())
                try await bench.expectOld("place \(index)")
            }
            try await bench.expectGoodWrite()
            try await bench.candy.stop()
            try await bench.world.stop()
            Place.note("frank killed: \(Self.kills) times, old program after each, next write good")
        }

        @Test func `candy that is killed starts with the old program`() async throws {
            var bench = try await Bench(try await World.start())
            for index in 0..<Self.kills {
                bench.toCandy.arm(bench.place(index, of: Self.kills, login: 0), holds: true)
                let ispy = try bench.write()
                try await bench.toCandy.held()
                try await bench.candy.kill()
                bench.toCandy.release()
                #expect([1, 3, 5].contains(try await ispy.end().status))
                bench = bench.with(
                    candy: try await bench.world.candy(at: "tls://127.0.0.1:\(bench.toCandy.port)"))
                try await bench.expectOld("place \(index)")
            }
            try await bench.expectGoodWrite()
            try await bench.candy.stop()
            try await bench.world.stop()
            Place.note("candy killed: \(Self.kills) times, old program after each, next write good")
        }

        @Test func `A second operator is told at once that the device is busy, and nothing is mixed`() async throws {
            let bench = try await Bench(try await World.start())
            let other = try await Images.make("261125-0000", size: 150_000)
            bench.toFrank.arm(bench.place(0, of: 1, login: 0), holds: true)
            let first = try bench.write()
            try await bench.toFrank.held()
            // The first one is held until both have been told: at the same time, as the device waits 5 s for it at most.
            let others = try [
                ["program", "write", bench.device, other, "--json"], ["block", "write", bench.device, "14", other],
            ].map { try bench.world.startISpy($0) }
            for other in others {
                let second = try await other.end()
                #expect(second.status == 1, "\(second)")
                #expect(second.errors.contains("busy") || second.errors.contains("another"), "\(second)")
            }
            bench.toFrank.release()
            let result = try await first.end()
            #expect(result.status == 0, "\(result) \(bench.candy.report)")
            #expect(try await bench.world.status().version == new)
            let copy = bench.world.folder.path + "/copy.bin"
            #expect(try await bench.world.candyFlash(3, ["read", "--slot", "1", copy]).status == 0)
            #expect(try Images.bytes(copy) == Images.bytes(bench.package))
            try await bench.candy.stop()
            try await bench.world.stop()
        }

        @Test func `Ctrl-C in the middle leaves the old program, and the next write works at once`() async throws {
            let bench = try await Bench(try await World.start())
            bench.toFrank.arm(bench.place(0, of: 1, login: 0), holds: true)
            let ispy = try bench.write()
            try await bench.toFrank.held()
            ispy.signal(SIGINT)
            // It hears of that on another thread than the one that sends; the device waits longer.
            try await Task.sleep(for: .milliseconds(500))
            bench.toFrank.release()
            let result = try await ispy.end()
            #expect(result.status == 1, "\(result)")
            #expect(result.errors.contains("cancelled"), "\(result)")
            try await bench.abandoned(1)
            try await bench.expectOld("Ctrl-C")
            try await bench.expectGoodWrite()
            try await bench.candy.stop()
            try await bench.world.stop()
        }
    }
}
