import IOCOM
import NIOCore
import NIOPosix
import ServerData

/// Gives automatic device numbers, remembers them by unique id, and saves the table a moment after it changed. Confined
/// to the loop.
final class NumberKeeper {
    /// Time between a change and the file, which collects the changes of many devices that come at once.
    private static let delay = TimeAmount.seconds(1)

    private let folder: ServerFolder
    private let secret: ServerSecret
    private let loop: any EventLoop
    private let report: @Sendable (ServerEvent) -> Void
    private var table: AutomaticNumbers
    private var holders: [UInt32: UInt64] = [:]
    private var timer: Scheduled<Void>?
    private var isDirty = false
    /// The latest save; the next one waits for it, so that an older table never replaces a newer one.
    private var saving: EventLoopFuture<Void>

    init(
        _ table: AutomaticNumbers, _ folder: ServerFolder, _ secret: ServerSecret, on loop: any EventLoop,
        report: @escaping @Sendable (ServerEvent) -> Void
    ) {
        self.table = table
        self.folder = folder
        self.secret = secret
        self.loop = loop
        self.report = report
        saving = loop.makeSucceededVoidFuture()
    }

    /// A number for a device on `link`, which showed this unique id and password. A unique id is no secret
    /// (wire-protocol.md 11.14): who shows another password is another device.
    ///
    /// `isTaken` tells of numbers that came from elsewhere. Nil when there is none left.
    func assign(
        _ id: [UInt8]?, password: [UInt8], link: UInt64, isTaken: (UInt32) -> Bool
    ) -> UInt32? {
        let id = id.map { secret.identity(of: $0, password: password) }
        guard let number = table.assign(to: id, isInUse: { holders[$0] != nil || isTaken($0) }) else { return nil }
        holders[number] = link
        if id != nil { save() }
        return number
    }

    /// The link is gone: its number is free.
    func release(_ number: UInt32, link: UInt64) {
        if holders[number] == link { holders[number] = nil }
    }

    private func save() {
        isDirty = true
        guard timer == nil else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        timer = loop.scheduleTask(in: Self.delay) {
            bound.value.timer = nil
            _ = bound.value.saveNow()
        }
    }

    /// Writes the table if it changed.
    func saveNow() -> EventLoopFuture<Void> {
        timer?.cancel()
        timer = nil
        guard isDirty else { return saving }
        isDirty = false
        let (table, folder, report, loop) = (table, folder, report, loop)
        saving = saving.flatMap {
            NIOThreadPool.singleton.runIfActive(eventLoop: loop) {
                do throws(FolderError) { try folder.save(table) } catch { report(.problem(error.description)) }
            }
        }
        return saving
    }
}
