import ByteTools
import Synchronization

/// Only one drives Windows Installer for one folder, also when a start comes while what was begun before it goes on on
/// another thread. Nobody waits for it but a start: who asks meanwhile is told so.
final class WorkLock: Sendable {
    private static let all = Mutex<[String: WorkLock]>([:])
    /// How often a start looks again, ms.
    private static let glance = 50

    private let isTaken = Mutex(false)

    private init() {}

    /// The lock of a folder.
    static func of(_ folder: String) -> WorkLock {
        all.withLock { locks in
            if let known = locks[folder] { return known }
            let made = WorkLock()
            locks[folder] = made
            return made
        }
    }

    /// Somebody is at work.
    var isHeld: Bool { isTaken.withLock { $0 } }

    private func take() -> Bool {
        isTaken.withLock { isTaken in
            defer { isTaken = true }
            return !isTaken
        }
    }

    /// Works alone; nil when somebody else is still at work after some time.
    func alone<Value, Failure: Error>(
        waiting milliseconds: Int = 0, _ work: () throws(Failure) -> Value
    ) throws(Failure) -> Value? {
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        while !take() {
            guard ContinuousClock.now < end else { return nil }
            Pause.wait(milliseconds: Self.glance)
        }
        defer { isTaken.withLock { $0 = false } }
        return try work()
    }
}
