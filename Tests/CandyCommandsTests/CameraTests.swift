import Bricks
import ByteTools
import Foundation
import IOCOM
import IOCOMTransport
import IODevice
import IOOperator
import Synchronization
import Testing

@testable import CandyCommands

/// The camera of a module that lives in this process: real connections, real files.
@Suite(.serialized, .timeLimit(.minutes(10))) struct CameraTests {
    /// The segments of a JPEG file that is read for its header only.
    private static func file(_ fill: UInt8, count: Int = 20_000, width: Int = 640) -> [UInt8] {
        [0xFF, 0xD8, 0xFF, 0xC0, 0, 8, 8, 1, 0xE0, UInt8(width >> 8), UInt8(width & 255), 3]
            + [0xFF, 0xDA, 0, 3, 0] + [UInt8](repeating: fill, count: count) + [0xFF, 0xD9]
    }

    private static func folder(_ files: [(String, [UInt8])]) throws -> String {
        let path = NSTemporaryDirectory() + "/pictures-\(UUID().uuidString)"
        try Folder.makePrivate(path)
        for (name, bytes) in files { try File(path + "/" + name, .create).write(at: 0, bytes) }
        return path
    }

    /// The next `count` pictures.
    private static func take(_ count: Int, of live: LiveModule) async throws -> [Brick] {
        var taken: [Brick] = []
        for try await brick in live.operator_.pictures(of: LiveModule.path, assembly: "camera") {
            taken.append(brick)
            if taken.count == count { break }
        }
        return taken
    }

    @Test func anOperatorGetsDifferentPicturesThroughAServer() async throws {
        let live = try await LiveModule(throughServer: true)
        try live.start()
        _ = try await live.operator_.device(LiveModule.path, seconds: 120)
        let start = ContinuousClock.now
        let bricks = try await Self.take(3, of: live)
        let time = ContinuousClock.now - start
        #expect(bricks.count == 3)
        #expect(Set(bricks.map(\.data)).count == 3)
        #expect(bricks.allSatisfy { $0.width == 160 && $0.height == 120 && $0.format == .rgb24 })
        // Two a second: the first at once, then every half second.
        #expect(time > .milliseconds(900))
        for (earlier, later) in zip(bricks, bricks.dropFirst()) {
            #expect(later.timestamp - earlier.timestamp >= 499_000)
        }
        try await live.end()
    }

    @Test func nothingIsDeliveredWhenNobodyReceives() async throws {
        let live = try await LiveModule(throughServer: true)
        try live.start(.linux)
        _ = try await live.operator_.device(LiveModule.path, seconds: 120)
        #expect(try await Self.take(1, of: live).count == 1)
        // What was asked for before the end may still come. A camera that goes on would never be quiet for so long.
        var before = try await Self.state(of: live)
        var isQuiet = false
        for _ in 0..<10 where !isQuiet {
            try await Task.sleep(for: .milliseconds(1500))
            let now = try await Self.state(of: live)
            isQuiet = now == before
            before = now
        }
        #expect(isQuiet)
        #expect(before != nil && before != .integer(0))
        #expect(try await Self.take(2, of: live).count == 2)
        try await live.end()
    }

    private static func state(of live: LiveModule) async throws -> SignalValue? {
        try await live.operator_.signals(of: LiveModule.path).first { $0.name == "rec_state" }?.value
    }

    @Test func filesOfAFolderComeInOrderAsTheyAre() async throws {
        let small = Self.file(1)
        let large = Self.file(2, count: 200_000)
        let folder = try Self.folder([
            ("b.JPEG", large), ("a.jpg", small), ("broken.jpg", Array(small.dropLast(2))), ("notes.txt", [1, 2, 3]),
            (".hidden.jpg", small), ("empty.jpg", []),
            ("huge.jpg", Self.file(3, count: PictureFolder.largestFile, width: 40_000)),
        ])
        let live = try await LiveModule()
        try live.start(pictures: folder)
        _ = try await live.operator_.device(LiveModule.path, seconds: 120)
        let bricks = try await Self.take(4, of: live)
        #expect(Set(bricks.map(\.data)) == [small, large])
        // A picture that nobody took in half a second gives way to the next one.
        for (earlier, later) in zip(bricks, bricks.dropFirst()) where later.timestamp - earlier.timestamp < 900_000 {
            #expect(earlier.data != later.data)
        }
        #expect(bricks.allSatisfy { $0.compression == .jpeg(quality: 0) && $0.width == 640 && $0.height == 480 })
        for (name, reason) in [
            ("broken.jpg", "its end is missing"), ("empty.jpg", "no JPEG file"), ("huge.jpg", "more than"),
        ] {
            #expect(live.log.filter { $0.contains("\(name) is skipped") && $0.contains(reason) }.count == 1)
        }
        try await live.end()
        try FileManager.default.removeItem(atPath: folder)
    }

    @Test func theSequenceEndsWithTheDeviceAndWorksAgainAfterIt() async throws {
        let live = try await LiveModule(throughServer: true)
        try live.start()
        _ = try await live.operator_.device(LiveModule.path, seconds: 120)
        var pictures = live.operator_.pictures(of: LiveModule.path, assembly: "camera").makeAsyncIterator()
        #expect(try await pictures.next() != nil)
        try await live.switchOff()
        var failure: OperatorError?
        do { while try await pictures.next() != nil {} } catch { failure = error as? OperatorError }
        #expect(failure?.kind == .noConnection)
        try live.start()
        _ = try await live.operator_.device(LiveModule.path, seconds: 120)
        #expect(try await Self.take(2, of: live).count == 2)
        try await live.end()
    }

    @Test func severalSequencesOfOneCameraDoNotDisturbOneAnother() async throws {
        let live = try await LiveModule(throughServer: true)
        try live.start()
        _ = try await live.operator_.device(LiveModule.path, seconds: 120)
        let other = try await Operator.connect(
            OperatorConnection(
                address: live.operator_.address, user: "root", network: "cafenet", password: PasswordText(),
                trust: .init(trustFile: nil)))
        _ = try await other.device(LiveModule.path, seconds: 120)
        try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for (access, count) in [(live.operator_, 6), (live.operator_, 2), (other, 3), (other, 5)] {
                group.addTask {
                    var times: [UInt64] = []
                    for try await brick in access.pictures(of: LiveModule.path, assembly: "camera") {
                        times.append(brick.timestamp)
                        if times.count == count { break }
                    }
                    return times
                }
            }
            var all: [[UInt64]] = []
            for try await times in group { all.append(times) }
            #expect(all.map(\.count).sorted() == [2, 3, 5, 6])
            // Who ends does not switch the camera off for the others, who would ask again after three seconds only.
            for times in all { #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 < 2_900_000 }) }
        }
        await other.close()
        try await live.end()
    }

    @Test func whatIsNoCameraIsRefusedWithItsReason() async throws {
        let live = try await LiveModule()
        try live.start()
        _ = try await live.operator_.device(LiveModule.path, seconds: 120)
        for (path, assembly, kind) in [
            (LiveModule.path, "none", OperatorError.Kind.notSupported),
            (DevicePath(name: "candy", number: 99, network: "cafenet"), "camera", .deviceNotFound),
        ] {
            var failure: OperatorError?
            do { for try await _ in live.operator_.pictures(of: path, assembly: assembly) {} } catch {
                failure = error as? OperatorError
            }
            #expect(failure?.kind == kind)
        }
        try await live.end()
    }
}

/// Pictures without a network.
@Suite struct PictureSourceTests {
    @Test func theTestPatternChangesAndFitsIntoTheBufferOfTheOriginal() throws {
        let pattern = TestPattern()
        let first = try #require(pattern.picture(timestamp: 0))
        let later = try #require(pattern.picture(timestamp: 500_000))
        #expect(first.byteCount <= StandardCamera.buffer)
        #expect(first.data != later.data)
        #expect(try #require(pattern.picture(timestamp: 0)) == first)
        // Also after a long time.
        #expect(pattern.picture(timestamp: .max) != nil)
        #expect(TestPattern.clock(milliseconds: 0) == "0:00:00.0")
        #expect(TestPattern.clock(milliseconds: 3_727_550) == "1:02:07.5")
    }

    @Test func everyDigitLooksDifferent() {
        let shapes = "0123456789:. ".map { character in
            (0..<Digits.height).flatMap { y in (0..<Digits.width).map { Digits.hasPoint(character, x: $0, y: y) } }
        }
        #expect(Set(shapes).count == shapes.count)
        #expect(!Digits.hasPoint("8", x: 3, y: 0))
        #expect(!Digits.hasPoint("8", x: 0, y: 5))
    }

    @Test func aFolderWithoutPicturesShowsTheTestPatternUntilThereIsOne() throws {
        let path = NSTemporaryDirectory() + "/pictures-\(UUID().uuidString)"
        let lines = Mutex<[String]>([])
        let folder = PictureFolder(path, log: EventLog(json: false) { line in lines.withLock { $0.append(line) } })
        #expect(folder.capacity == StandardCamera.buffer)
        for _ in 0..<3 { #expect(folder.picture(timestamp: 0) == TestPattern().picture(timestamp: 0)) }
        #expect(lines.withLock { $0.count } == 2)
        try Folder.makePrivate(path)
        try File(path + "/bad.jpg", .create).write(at: 0, [1, 2, 3])
        for _ in 0..<3 { #expect(folder.picture(timestamp: 0)?.compression == PictureCompression.none) }
        #expect(lines.withLock { $0.filter { $0.contains("bad.jpg is skipped") }.count } == 1)
        let file: [UInt8] =
            [0xFF, 0xD8, 0xFF, 0xC0, 0, 8, 8, 0, 64, 0, 64, 3, 0xFF, 0xDA, 0, 3, 0, 1, 0xFF, 0xD9]
        try File(path + "/good.jpg", .create).write(at: 0, file)
        #expect((0..<4).contains { _ in folder.picture(timestamp: 0)?.data == file })
        try FileManager.default.removeItem(atPath: path)
    }
}
