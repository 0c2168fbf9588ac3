public import NIOCore

/// Before a restart: waits until the last snapshot has left, then gives it time to travel on to the operators.
public enum Farewell {
    private static let look = TimeAmount.milliseconds(10)
    private static let drainTime = TimeAmount.milliseconds(1500)
    private static let settleTime = TimeAmount.milliseconds(100)

    /// Completes when the operators can know; `isDrained` is called on `loop`, as this must be.
    public static func wait(on loop: any EventLoop, until isDrained: @escaping () -> Bool) -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        wait(NIOLoopBound(isDrained, eventLoop: loop), .now() + drainTime, promise)
        return promise.futureResult
    }

    private static func wait(
        _ isDrained: NIOLoopBound<() -> Bool>, _ end: NIODeadline, _ promise: EventLoopPromise<Void>
    ) {
        let loop = promise.futureResult.eventLoop
        // Not at once: results may not be published yet.
        loop.scheduleTask(in: look) {
            guard isDrained.value() || .now() >= end else { return wait(isDrained, end, promise) }
            loop.scheduleTask(in: settleTime) { promise.succeed() }
        }
    }
}
