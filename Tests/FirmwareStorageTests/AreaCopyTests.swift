import FirmwareImages
import FirmwareStorage
import IOCOM
import Testing

/// Active, downloaded and backup area and the records on one chip.
private struct Areas {
    static let unit = 256
    static let places = [0..<8, 8..<16, 16..<24, 24..<26]
    let chip: Chip
    let wear = Wear()

    init(_ chip: Chip = Chip(units: 26, of: Self.unit)) { self.chip = chip }

    /// Operations until an area takes nothing more: one operation fails, or all that follow do.
    final class Wear {
        var left: [Int: Int] = [:]
        var failsOnce = false
        private(set) var failures = 0

        func check(_ area: Int) throws(FlashFault) {
            guard let count = left[area] else { return }
            guard count <= 0 else { return left[area] = count - 1 }
            if failsOnce { left[area] = nil }
            failures += 1
            throw .hardware(1)
        }
    }

    struct Window: FlashArea {
        let area: Int
        let wear: Wear
        var whole: TestArea
        let start: Int
        let size: Int
        var writeSize: Int { whole.writeSize }
        func unit(at offset: Int) -> FlashUnit {
            FlashUnit(start: offset / Areas.unit * Areas.unit, size: Areas.unit)
        }
        func read(at offset: Int, into out: UnsafeMutableRawBufferPointer) throws(FlashFault) {
            try check(offset, out.count)
            try whole.read(at: start + offset, into: out)
        }
        mutating func write(at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FlashFault) {
            try check(offset, bytes.count)
            try wear.check(area)
            try whole.write(at: start + offset, bytes)
        }
        mutating func erase(unitAt offset: Int) throws(FlashFault) {
            try check(offset, 1)
            try wear.check(area)
            try whole.erase(unitAt: start + offset)
        }
    }

    func window(_ index: Int) -> Window {
        let units = Self.places[index]
        return Window(
            area: index, wear: wear, whole: TestArea(chip: chip), start: units.lowerBound * Self.unit,
            size: units.count * Self.unit)
    }

    func copy() throws(FlashFault) -> AreaCopy<Window> {
        try AreaCopy(
            active: window(0), downloaded: window(1), backup: window(2), records: window(3), target: ImageTarget())
    }

    func write(_ program: [UInt8], to index: Int) throws(FlashFault) {
        var area = window(index)
        try area.erase(first: program.count)
        var fault: FlashFault?
        // As an installer does it.
        for start in stride(from: 0, to: program.count, by: 256) {
            program[start..<min(program.count, start + 256)].withUnsafeBytes { bytes in
                do throws(FlashFault) { try area.write(at: start, bytes) } catch { fault = error }
            }
        }
        if let fault { throw fault }
    }

    /// The program in the active area.
    func active(_ size: Int) -> [UInt8] { Array(chip.memory[..<size]) }
}

/// A program with its descriptor and hash.
private func program(_ version: String, blocks: Int) -> [UInt8] {
    var bytes = (0..<(0x2A0 + 8 * blocks)).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ blocks) }
    let descriptor = ProgramDescriptor(
        imageSize: UInt32(bytes.count + 40), loadAddress: 0, application: ShortText("candy"),
        version: ShortText(version) ?? ShortText(), os: ShortText("test"),
        hardware: ShortText("chip"), organization: ShortText("us"))
    bytes.withUnsafeMutableBytes {
        descriptor.encode(into: UnsafeMutableRawBufferPointer(rebasing: $0[ProgramDescriptor.offset...]))
    }
    var hash = ImageHash()
    bytes.withUnsafeBytes { hash.add($0) }
    var trailer = [UInt8](repeating: 0, count: ImageTrailer.size)
    trailer.withUnsafeMutableBytes { ImageTrailer.encode(hash.finished(), into: $0) }
    return bytes + trailer
}

@Suite("One place for programs, three areas") struct AreaCopyTests {
    private typealias Start = AreaCopy<Areas.Window>.Start

    private static let old = program("old", blocks: 40)
    private static let new = program("new", blocks: 130)
    private static let third = program("third", blocks: 90)

    private static func digest(_ program: [UInt8]) -> ImageDigest {
        var digest = ImageDigest()
        for (index, byte) in program.suffix(32).enumerated() { digest[index] = byte }
        return digest
    }

    /// A chip with the old program, started once.
    private static func fresh() throws -> Areas {
        let areas = Areas()
        try areas.write(old, to: 0)
        var copy = try areas.copy()
        let start = try #require(try copy.start())
        #expect(start.program.version == ShortText("old") && !start.isOnTrial)
        #expect(copy.isReady && !copy.canGoBack)
        return areas
    }

    private static func download(_ areas: Areas, _ program: [UInt8] = new) throws {
        var copy = try areas.copy()
        try copy.beginDownload()
        try areas.write(program, to: 1)
        try copy.select(digest(program))
    }

    /// A chip on which the new program proved itself, and the old one is the way back.
    private static func updated() throws -> Areas {
        let areas = try fresh()
        try download(areas)
        var copy = try areas.copy()
        _ = try copy.start()
        try copy.confirm()
        return areas
    }

    /// Starts, and expects that the active area holds what is said to start.
    private static func start(_ areas: Areas, _ place: SourceLocation = #_sourceLocation) throws -> Start {
        var copy = try areas.copy()
        let start = try #require(try copy.start(), "nothing starts", sourceLocation: place)
        let programs = ["old": old, "new": new, "third": third]
        let program = try #require(programs[start.program.version.description], sourceLocation: place)
        #expect(areas.active(program.count) == program, sourceLocation: place)
        return start
    }

    @Test("a program is installed, tried, confirmed and given up")
    func life() throws {
        let areas = try Self.fresh()
        try Self.download(areas)
        #expect(areas.active(Self.old.count) == Self.old)
        var copy = try areas.copy()
        #expect(!copy.isReady)
        var start = try copy.start()
        #expect(start?.isOnTrial == true && start?.program.version == ShortText("new"))
        #expect(areas.active(Self.new.count) == Self.new)
        #expect(!copy.isReady && copy.canGoBack)
        try copy.confirm()
        copy = try areas.copy()
        #expect(try copy.start()?.isOnTrial == false && copy.isReady && copy.canGoBack)
        let isGivenUp = try copy.giveUp(.asked)
        #expect(isGivenUp)
        start = try copy.start()
        #expect(start?.isOnTrial == false && areas.active(Self.old.count) == Self.old)
        #expect(copy.isReady && !copy.canGoBack && copy.state.goneBack == .asked)
        let isGivenUpAgain = try copy.giveUp(.asked)
        #expect(!isGivenUpAgain)
        // Once more, without a proof this time; the backup is the program that runs already.
        try Self.download(areas)
        copy = try areas.copy()
        #expect(try copy.start()?.isOnTrial == true)
        copy = try areas.copy()
        start = try copy.start(cause: .watchdog)
        #expect(start?.isOnTrial == false && areas.active(Self.old.count) == Self.old)
        #expect(copy.state.goneBack == .watchdog)
    }

    @Test("a cut at any operation leaves the old or the new program", arguments: [0, 1, 2])
    func cuts(cut: Int) throws {
        /// What an update does, with the program that each step may leave.
        let steps: [(name: String, step: (Areas) throws -> Void, allowed: [[UInt8]])] = [
            ("download", { try Self.download($0) }, [Self.old, Self.new]),
            ("install", { _ = try $0.copy().startOnce() }, [Self.old, Self.new]),
            (
                "confirm",
                {
                    var copy = try $0.copy()
                    try copy.confirm()
                }, [Self.old, Self.new]
            ),
            (
                "give up",
                {
                    var copy = try $0.copy()
                    _ = try copy.giveUp(.asked)
                    _ = try copy.start()
                }, [Self.old, Self.new]
            ),
        ]
        var cuts = 0
        var before = try Self.fresh().chip.memory
        for (name, step, allowed) in steps {
            func run(_ left: Int) throws -> (areas: Areas, isDone: Bool) {
                let areas = Areas()
                areas.chip.memory = before
                areas.chip.cut = cut
                areas.chip.left = left
                let isDone = (try? step(areas)) != nil && !areas.chip.isOff
                areas.chip.left = -1
                return (areas, isDone)
            }
            var operation = 0
            while true {
                let (areas, isDone) = try run(operation)
                guard !isDone else {
                    before = areas.chip.memory
                    break
                }
                // A second cut while the first one is repaired, then in peace.
                for second in [operation % 9, -1] {
                    let again = Areas()
                    again.chip.memory = areas.chip.memory
                    again.chip.cut = cut
                    again.chip.left = second
                    _ = try? again.copy().startOnce()
                    again.chip.left = -1
                    var copy = try again.copy()
                    var start = try #require(try copy.start(), "\(name) \(operation) \(second): a brick")
                    if start.isOnTrial, operation % 3 == 0 { start = try #require(try copy.start()) }
                    if start.isOnTrial { try copy.confirm() }
                    let isOld = start.program.version == ShortText("old")
                    let program = isOld ? Self.old : Self.new
                    #expect(again.active(program.count) == program && allowed.contains(program))
                    #expect(copy.isReady, "\(name) \(operation) \(second)")
                    cuts += 1
                    guard second < 0 else { continue }
                    // It takes the next update.
                    try Self.download(again)
                    copy = try again.copy()
                    #expect(try copy.start()?.digest == Self.digest(Self.new))
                }
                operation += 1
            }
        }
        #expect(cuts > 100)
    }

    @Test("what was downloaded and changed since is not installed")
    func damage() throws {
        let areas = try Self.fresh()
        try Self.download(areas)
        areas.chip.memory[8 * Areas.unit + 1000] ^= 1
        var copy = try areas.copy()
        let start = try copy.start()
        #expect(start?.program.version == ShortText("old") && start?.isOnTrial == false && copy.isReady)
        #expect(copy.state.goneBack == .damaged)
    }

    @Test("a program whose bytes change is replaced by the one before, and lost records are made again")
    func rescue() throws {
        let areas = try Self.fresh()
        try Self.download(areas)
        var copy = try areas.copy()
        _ = try copy.start()
        try copy.confirm()
        areas.chip.memory[900] ^= 0x10
        copy = try areas.copy()
        #expect(try copy.start()?.program.version == ShortText("old") && copy.state.goneBack == .damaged)
        for index in (24 * Areas.unit)..<(26 * Areas.unit) { areas.chip.memory[index] = 0x55 }
        copy = try areas.copy()
        #expect(try copy.start()?.program.version == ShortText("old") && copy.isReady)
        // Nothing whole is left anywhere.
        areas.chip.memory = Array(repeating: 0xFF, count: areas.chip.memory.count)
        copy = try areas.copy()
        #expect(try copy.start() == nil)
    }

    @Test("the backup is kept while nothing is written over it: it is the way back although what ran since was damaged")
    func keptBackup() throws {
        let areas = try Self.updated()
        areas.chip.memory[900] ^= 0x10
        try Self.download(areas, Self.third)
        var start = try Self.start(areas)
        #expect(start.isOnTrial && start.program.version == ShortText("third"))
        // It hangs, and the watchdog resets.
        start = try Self.start(areas)
        #expect(!start.isOnTrial && start.program.version == ShortText("old"))
        let copy = try areas.copy()
        #expect(copy.isReady && copy.state.active == SlotEntry(.valid, Self.digest(Self.old)))
        #expect(copy.state.goneBack == .noProof)
    }

    @Test("one operation that fails is made good", arguments: [0, 1, 2, 3])
    func oneFailure(area: Int) throws {
        var count = 0
        while true {
            let areas = try Self.fresh()
            try Self.download(areas)
            areas.wear.left[area] = count
            areas.wear.failsOnce = true
            let start = try Self.start(areas)
            guard areas.wear.failures > 0 else { break }
            // What can't be secured is not replaced.
            #expect(start.program.version == ShortText(area == 2 ? "old" : "new"), "\(area) \(count)")
            #expect(start.isOnTrial == (area != 2) && start.fault == nil)
            var copy = try areas.copy()
            try copy.confirm()
            #expect(copy.isReady)
            count += 1
        }
        // The downloaded area is only read.
        #expect(area == 1 ? count == 0 : count > 5)
    }

    @Test("without records what proved itself starts, and nothing is on trial that is not written down")
    func noRecords() throws {
        // A program that a programmer wrote, on a flash without records.
        let first = Areas()
        try first.write(Self.old, to: 0)
        first.wear.left[3] = 0
        var start = try Self.start(first)
        #expect(!start.isOnTrial && start.fault == .hardware(1))
        // Nothing has to be written down.
        let updated = try Self.updated()
        updated.wear.left[3] = 0
        start = try Self.start(updated)
        #expect(start.fault == nil && start.program.version == ShortText("new"))
        // An update is not begun.
        let selected = try Self.fresh()
        try Self.download(selected)
        selected.wear.left[3] = 0
        let erases = selected.chip.erases
        start = try Self.start(selected)
        #expect(start.program.version == ShortText("old") && start.fault != nil && selected.chip.erases == erases)
        // Nor does a program start that was given up.
        var copy = try updated.copy()
        updated.wear.left = [:]
        #expect(try copy.giveUp(.asked))
        updated.wear.left[3] = 0
        start = try Self.start(updated)
        #expect(start.program.version == ShortText("old") && start.fault != nil)
        // What the backup holds proved itself also when it was downloaded once more; it is copied back once.
        let damaged = try Self.updated()
        damaged.chip.memory[900] ^= 0x10
        try Self.download(damaged, Self.old)
        damaged.wear.left[3] = 0
        start = try Self.start(damaged)
        let copied = damaged.chip.erases
        #expect(start.program.version == ShortText("old") && start.fault != nil)
        start = try Self.start(damaged)
        #expect(start.program.version == ShortText("old") && damaged.chip.erases == copied)
    }

    @Test("records that fail from any moment of an update on", arguments: [false, true])
    func recordsFail(takesBack: Bool) throws {
        var count = 0
        while true {
            let areas = try Self.fresh()
            try Self.download(areas)
            if takesBack { _ = try Self.start(areas) }
            areas.wear.left[3] = count
            var start = try Self.start(areas)
            guard areas.wear.failures > 0 else { break }
            // What runs is not copied again by every start.
            areas.wear.left[0] = 0
            for _ in 0..<2 {
                #expect(!start.isOnTrial && start.program.version == ShortText("old") && start.fault != nil, "\(count)")
                start = try Self.start(areas)
            }
            // They work again: what was to be done is done, and the device takes the next update.
            areas.wear.left = [:]
            let isUpdateLeft = try [.save, .install].contains(areas.copy().state.task)
            start = try Self.start(areas)
            #expect(start.isOnTrial == isUpdateLeft && start.fault == nil, "\(count)")
            if start.isOnTrial { start = try Self.start(areas) }
            #expect(!start.isOnTrial && start.program.version == ShortText("old"), "\(count)")
            #expect(try areas.copy().isReady, "\(count)")
            try Self.download(areas, Self.third)
            start = try Self.start(areas)
            #expect(start.isOnTrial && start.program.version == ShortText("third"), "\(count)")
            count += 1
        }
        #expect(count > 5)
    }

    @Test("a cut in a start that can write nothing down leaves a program as well", arguments: [false, true])
    func cutWithoutRecords(isMended: Bool) throws {
        var count = 0
        while true {
            let areas = try Self.fresh()
            try Self.download(areas)
            _ = try Self.start(areas)
            // It does not prove itself; the backup is copied back and nothing can be written down.
            areas.wear.left[3] = 0
            areas.chip.cut = count % 3
            areas.chip.left = count
            var copy = try areas.copy()
            _ = try? copy.start()
            guard areas.chip.isOff else { break }
            areas.chip.left = -1
            if isMended { areas.wear.left = [:] }
            let start = try Self.start(areas)
            #expect(start.program.version == ShortText("old") && !start.isOnTrial, "\(count)")
            #expect(start.fault == nil || !isMended)
            count += 1
        }
        #expect(count > 5)
    }

    @Test("a backup area that takes nothing ends the update, and the device takes others")
    func noBackup() throws {
        let areas = try Self.fresh()
        try Self.download(areas)
        areas.wear.left[2] = 3
        let start = try Self.start(areas)
        #expect(start.program.version == ShortText("old") && !start.isOnTrial && start.fault == nil)
        let copy = try areas.copy()
        #expect(copy.isReady && copy.state.goneBack == .damaged && !copy.canGoBack)
    }

    @Test("a program that a programmer wrote is taken")
    func programmed() throws {
        let areas = try Self.fresh()
        try areas.write(Self.new, to: 0)
        var copy = try areas.copy()
        #expect(try copy.start()?.isOnTrial == false && copy.isReady)
        #expect(copy.state.active.digest == Self.digest(Self.new))
    }
}

extension AreaCopy {
    /// As ``start(cause:)`` for a machine that is not kept.
    fileprivate func startOnce() throws(FlashFault) -> Start? {
        var copy = self
        return try copy.start()
    }
}
