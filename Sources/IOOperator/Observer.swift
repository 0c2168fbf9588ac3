import NIOCore

/// Hands out what changed since the last time, when somebody waits for it and not more often than an interval allows. Who is
/// slow misses nothing and fills no memory: the change is made at the moment it is taken. Confined to a loop.
final class Observer<Change: Sendable> {
    private let loop: any EventLoop
    private let interval: TimeAmount
    private let build: () -> Change?
    private var promise: EventLoopPromise<Change?>?
    private var timer: Scheduled<Void>?
    private var last: NIODeadline?
    private var isTouched = true
    private var hasEnded = false

    /// `build` makes the change, nil when there is none after all; the first one is everything.
    init(on loop: any EventLoop, interval: TimeAmount, build: @escaping () -> Change?) {
        self.loop = loop
        self.interval = interval
        self.build = build
    }

    /// The next change; nil at the end.
    func next() -> EventLoopFuture<Change?> {
        guard !hasEnded, promise == nil else { return loop.makeSucceededFuture(nil) }
        let made = loop.makePromise(of: Change?.self)
        promise = made
        arm()
        return made.futureResult
    }

    /// Something may have changed.
    func touch() {
        isTouched = true
        arm()
    }

    /// No further change.
    func end() {
        hasEnded = true
        timer?.cancel()
        promise?.succeed(nil)
        promise = nil
    }

    private func arm() {
        guard isTouched, promise != nil, timer == nil, !hasEnded else { return }
        let now = NIODeadline.now()
        let due = last.map { $0 + interval } ?? now
        // Never at once: several blocks of one snapshot come one after the other.
        let bound = NIOLoopBound(self, eventLoop: loop)
        timer = loop.scheduleTask(deadline: max(due, now)) {
            bound.value.timer = nil
            bound.value.deliver()
        }
    }

    private func deliver() {
        guard let waiting = promise, isTouched else { return }
        isTouched = false
        guard let change = build() else { return }
        last = .now()
        promise = nil
        waiting.succeed(change)
    }
}
