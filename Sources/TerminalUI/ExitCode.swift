/// How a command ended, for scripts. The numbers are a promise: they never change their meaning.
public enum ExitCode: Int32, Sendable, CaseIterable {
    /// What was asked for is done and verified.
    case done = 0
    /// It failed for a reason that has no number of its own.
    case failed = 1
    /// The command line is wrong; nothing was tried.
    case usage = 2
    /// No connection, or the server refused the login.
    case noConnection = 3
    /// The device or the package does not exist.
    case notFound = 4
    /// The installation failed, or the device went back to the program it had before.
    case notInstalled = 5
}
