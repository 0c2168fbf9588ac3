import Bricks
import ByteTools
import IODevice
import Synchronization
import TerminalUI

/// Plays the JPEG files of a folder in the order of their names, again and again. Their bytes go as they are.
///
/// Files may come and go meanwhile; a new one that is larger than all that were there at the start is too large.
final class PictureFolder: PictureSource {
    /// Bytes of the largest file that is played.
    static let largestFile = 512 * 1024
    /// Names that are looked at.
    static let mostNames = 10_000

    /// Files that are tried for one picture.
    private static let mostAttempts = 20

    private struct State {
        var names: [String] = []
        var next = 0
        /// Files tried since the last one that could be played.
        var failures = 0
        /// What was reported, so that it is reported once.
        var reported: Set<String> = []
        var isEmptyReported = false
    }

    private let path: String
    private let log: EventLog
    /// Shown while there is no file that can be played.
    private let substitute = TestPattern()
    private let state = Mutex(State())
    /// Bytes that a brick may have.
    let capacity: Int

    /// Looks at the files there are. Blocking.
    init(_ path: String, log: EventLog) {
        self.path = path
        self.log = log
        // What is wrong with the folder is said when it is read for a picture: a device must start without it as well.
        let sizes = ((try? Self.names(in: path)) ?? []).compactMap { name -> Int? in
            guard case .file(let size)? = Folder.entry(path + "/" + name), size <= Self.largestFile else { return nil }
            return size
        }
        capacity = max(StandardCamera.buffer, (sizes.max() ?? 0) + BrickLimit.header)
    }

    func picture(timestamp: UInt64) -> Brick? {
        state.withLock { state in
            for _ in 0..<Self.mostAttempts {
                if state.next >= state.names.count { startRound(&state) }
                guard state.next < state.names.count, state.failures < state.names.count else {
                    state.failures = 0
                    return showSubstitute(timestamp, &state)
                }
                let name = state.names[state.next]
                state.next += 1
                if let brick = load(name, timestamp, &state) {
                    state.failures = 0
                    state.isEmptyReported = false
                    return brick
                }
                state.failures += 1
            }
            return nil
        }
    }

    private func showSubstitute(_ timestamp: UInt64, _ state: inout State) -> Brick? {
        if !state.isEmptyReported {
            state.isEmptyReported = true
            log.note("pictures", "no file in \(path) can be shown: the camera shows a test pattern")
        }
        return substitute.picture(timestamp: timestamp)
    }

    private func startRound(_ state: inout State) {
        state.next = 0
        do {
            state.names = try Self.names(in: path)
            state.reported.formIntersection(state.names)
        } catch {
            state.names = []
            if state.reported.insert("").inserted { log.note("pictures", "\(error)") }
        }
    }

    private func load(_ name: String, _ timestamp: UInt64, _ state: inout State) -> Brick? {
        do {
            let file = try File(path + "/" + name, .read)
            let size = try file.byteCount
            let limit = min(Self.largestFile, capacity - BrickLimit.header)
            guard size <= limit else { throw StorageFailure("it has \(size) bytes, more than \(limit)") }
            let brick = try Brick(jpeg: try file.read(at: 0, count: size), timestamp: timestamp)
            state.reported.remove(name)
            return brick
        } catch {
            if state.reported.insert(name).inserted {
                log.note("pictures", "\(name) is skipped: \(error)", [("file", .string(name))])
            }
            return nil
        }
    }

    private static func names(in path: String) throws(StorageFailure) -> [String] {
        try Folder.names(in: path, limit: mostNames).names.filter { name in
            let lower = name.lowercased()
            return (lower.hasSuffix(".jpg") || lower.hasSuffix(".jpeg")) && !name.hasPrefix(".")
        }
    }
}
