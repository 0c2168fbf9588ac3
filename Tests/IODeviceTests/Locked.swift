import Synchronization

/// A value that tests change from closures that may run anywhere.
final class Locked<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }

    func with<Result: Sendable, Failure: Error>(_ body: (inout Value) throws(Failure) -> Result) throws(Failure)
        -> Result
    {
        try value.withLock { value throws(Failure) in
            var copy = value
            defer { value = copy }
            return try body(&copy)
        }
    }
}
