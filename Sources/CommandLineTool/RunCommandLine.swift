public import ArgumentParser

extension AsyncParsableCommand {
    /// Reads the command line of this process and runs the command that it names. What goes wrong is thrown: each program
    /// has its own words and exit codes for that.
    public static func runCommandLine() async throws {
        var command = try parseAsRoot()
        if var command = command as? any AsyncParsableCommand {
            try await command.run()
        } else {
            try command.run()
        }
    }
}
