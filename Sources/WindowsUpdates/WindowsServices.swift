import ByteTools

/// Services of a Windows, started and stopped with `sc`.
struct WindowsServices: Sendable {
    private static let askTime = 60_000
    /// How often it is looked whether a service has stopped or a program has answered, ms.
    private static let glance = 200

    let tools: WindowsTools

    /// True when a service runs; nil when there is none of that name.
    func isRunning(_ service: String) throws(StorageFailure) -> Bool? {
        let result = try tools.run("sc", ["query", service], milliseconds: Self.askTime)
        return Self.isRunning(String(decoding: result.output, as: UTF8.self))
    }

    /// What an answer of `sc query` says. It has a line `STATE : 4  RUNNING`, whose number is the same in every language;
    /// the word STATE may be in the name of a service too.
    static func isRunning(_ answer: String) -> Bool? {
        for line in answer.split(whereSeparator: \.isNewline) {
            let words = line.split { $0 == " " || $0 == "\t" || $0 == ":" }
            guard words.count >= 2, words[0] == "STATE", let state = Int(words[1]) else { continue }
            return state == running
        }
        return nil
    }

    /// SERVICE_RUNNING of winsvc.h.
    private static let running = 4

    /// Stops a service; nil when it does not run then, else why it does.
    ///
    /// One that Windows is just starting may not hear it: it is told again.
    func stop(_ service: String, milliseconds: Int) throws(StorageFailure) -> String? {
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        while try isRunning(service) == true {
            guard ContinuousClock.now < end else { return "the service \(service) does not stop" }
            _ = try tools.run("sc", ["stop", service], milliseconds: Self.askTime)
            if try wait(Self.retryTime, until: { () throws(StorageFailure) in try isRunning(service) != true }) {
                break
            }
        }
        return nil
    }

    /// How long a service may take to stop until it is told again, ms.
    private static let retryTime = 5_000

    /// Starts a service; nil when it runs then, else why it does not.
    func start(_ service: String, milliseconds: Int) throws(StorageFailure) -> String? {
        let result = try tools.run("sc", ["start", service], milliseconds: Self.askTime)
        let runs = try wait(milliseconds) { () throws(StorageFailure) in try isRunning(service) == true }
        return runs ? nil : "the service \(service) does not start (sc ended with \(result.status))"
    }

    /// Waits until something is so; false when it was not in that time.
    func wait(
        _ milliseconds: Int, until isSo: () throws(StorageFailure) -> Bool
    ) throws(StorageFailure) -> Bool {
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        while true {
            if try isSo() { return true }
            guard ContinuousClock.now < end else { return false }
            Pause.wait(milliseconds: Self.glance)
        }
    }
}
