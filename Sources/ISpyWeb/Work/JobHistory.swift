import ByteTools
import NIOPosix
import PackedJSON

/// The file with the jobs that have ended, for the next run.
struct JobHistory: Sendable {
    /// Jobs that are kept, the latest, and bytes of the file.
    private static let most = 500
    private static let largest = 16 << 20
    /// How long changes are collected before they are written.
    private static let pause = Duration.seconds(1)

    let path: String

    /// What the last run left; nothing when the file can't be understood: it is no reason not to start.
    func load() -> [Job] {
        guard case .file(let size) = Folder.entry(path), size <= Self.largest,
            let bytes = try? File(path, .read).read(at: 0, count: size), let json = try? JSON(parsing: bytes)
        else { return [] }
        return (json["jobs"]?.elements ?? []).suffix(Self.most).compactMap { Job(kept: $0) }
    }

    func save(_ jobs: [Job]) {
        let document: JSON = ["jobs": .array(jobs.compactMap(\.kept).suffix(Self.most).map { $0 })]
        try? ReplacementFile.write(path, Array(document.compactText.utf8))
    }

    /// Keeps the file up to date until the task is cancelled.
    func follow(_ board: Board<Job>) async {
        var revision = await board.changes(after: nil)?.revision
        while let changes = await board.changes(after: revision) {
            revision = changes.revision
            guard changes.set.contains(where: { $0.state == .ended }) || !changes.removed.isEmpty else { continue }
            let jobs = board.values
            try? await NIOThreadPool.singleton.runIfActive { save(jobs) }
            try? await Task.sleep(for: Self.pause)
        }
        save(board.values)
    }
}
