import DeviceDescription
import IOCOM
import NIOCore
import Testing

@testable import CandyCommands
@testable import IOOperator

/// What an operator hears of changes, from a module that lives in this process.
@Suite(.serialized, .timeLimit(.minutes(10))) struct OperatorChangesTests {
    private func observers(_ live: LiveModule) async throws -> Int {
        let session = live.operator_.session
        return try await live.operator_.loop.submit { session.value.observerCount }.get()
    }

    @Test func signalsComeWholeThenAsChangesAndWholeAgainAfterARestart() async throws {
        let live = try await LiveModule(throughServer: true)
        try live.start(.linux)
        _ = try await live.operator_.device(LiveModule.path, seconds: 120)
        var names: [String] = []
        var hasChanged = false
        var isBack = false
        for await change in live.operator_.signalChanges(of: LiveModule.path, milliseconds: 20) {
            switch change {
            // Away; it may also be back before this is looked at.
            case .all(let readings) where readings.isEmpty: break
            case .all(let readings):
                isBack = hasChanged
                if names.isEmpty { names = readings.map(\.name) }
                #expect(readings.map(\.name) == names && names.contains("brightness"))
                // Buffers of streams and pictures are no values for people.
                #expect(!names.contains("tod_buf") && !names.contains("rec_buf"))
            case .some(let changed):
                #expect(changed.allSatisfy { names[$0.index] == $0.reading.name })
                if changed.contains(where: { $0.reading.name == "brightness" && $0.reading.value == .integer(33) }) {
                    hasChanged = true
                    try await live.switchOff()
                    try live.start(.linux)
                }
            }
            if !hasChanged, !names.isEmpty {
                try await live.operator_.set("set_brightness", to: "33", of: LiveModule.path)
            }
            if isBack { break }
        }
        #expect(hasChanged && isBack)
        try await live.end()
    }

    @Test func theDeviceListTellsWhoComesAndGoes() async throws {
        let live = try await LiveModule(throughServer: true)
        var steps: [String] = []
        for await change in live.operator_.deviceChanges(milliseconds: 20) {
            #expect(change.lostBecause == nil)
            if change.isComplete {
                steps.append("all")
                #expect(!change.set.contains { $0.path == "candy7.cafenet" })
                try live.start(.linux)
            }
            if change.set.contains(where: { $0.path == "candy7.cafenet" }), steps.last == "all" {
                steps.append("came")
                try await live.switchOff()
            }
            if change.removed == ["candy7.cafenet"] {
                steps.append("went")
                break
            }
        }
        #expect(steps == ["all", "came", "went"])
        try await live.end()
    }

    @Test func whoStopsReadingLeavesNothingBehind() async throws {
        let live = try await LiveModule(throughServer: true)
        try live.start(.linux)
        _ = try await live.operator_.device(LiveModule.path, seconds: 120)
        let block = BlockPath(block: "exp", device: LiveModule.path)
        for _ in 0..<5 {
            for await _ in live.operator_.deviceChanges() { break }
            for await _ in live.operator_.signalChanges(of: LiveModule.path) { break }
            for await part in live.operator_.memoryChanges(of: block, 4..<20) {
                #expect(part.offset == 4 && part.bytes.count == 16)
                break
            }
            let waiting = Task { [access = live.operator_] in
                for await _ in access.memoryChanges(of: BlockPath(block: "nothing", device: LiveModule.path), 0..<4) {}
            }
            waiting.cancel()
            await waiting.value
        }
        var left = try await observers(live)
        for _ in 0..<500 where left > 0 {
            try await Task.sleep(for: .milliseconds(10))
            left = try await observers(live)
        }
        #expect(left == 0)
        try await live.end()
    }
}
