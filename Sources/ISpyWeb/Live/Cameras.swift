import Bricks
import IOCOM
import IOOperator
import Synchronization

/// The cameras that pages look at. Each is received once, however many pages look, and only as long as one does.
final class Cameras: Sendable {
    /// The pause before a camera that went away is asked again.
    private static let retryTime = Duration.milliseconds(500)

    /// One camera of one connection.
    struct Key: Hashable, Sendable {
        var connection: String
        var device: DevicePath
        var assembly: String

        var id: String { "\(connection) \(device) \(assembly)" }
    }

    /// The latest picture of a camera.
    struct Shot: Sendable {
        var key: Key
        var sequence: Int
        var picture: Brick
    }

    /// Latest pictures, by the id of the camera.
    let board = Board<Shot>()
    private let receptions = Mutex<[Key: (count: Int, task: Task<Void, Never>)]>([:])

    /// Receives a camera until ``leave(_:)`` was called as often.
    func look(_ key: Key, _ access: Operator) {
        receptions.withLock { receptions in
            if let known = receptions[key] {
                receptions[key] = (known.count + 1, known.task)
            } else {
                receptions[key] = (1, Task { await receive(key, access) })
            }
        }
    }

    func leave(_ key: Key) {
        let ended = receptions.withLock { receptions -> Task<Void, Never>? in
            guard let known = receptions[key] else { return nil }
            guard known.count == 1 else {
                receptions[key] = (known.count - 1, known.task)
                return nil
            }
            return receptions.removeValue(forKey: key)?.task
        }
        guard let ended else { return }
        ended.cancel()
        board.remove(key.id)
    }

    private func receive(_ key: Key, _ access: Operator) async {
        while !Task.isCancelled {
            do {
                for try await picture in access.pictures(of: key.device, assembly: key.assembly) {
                    let sequence = (board[key.id]?.sequence ?? 0) + 1
                    board.set(key.id, Shot(key: key, sequence: sequence, picture: picture))
                }
            } catch {
                // Away, restarting, or without pictures: it is asked again as long as somebody looks.
            }
            try? await Task.sleep(for: Self.retryTime)
        }
    }
}
