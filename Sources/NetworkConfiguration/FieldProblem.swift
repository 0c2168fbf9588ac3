/// What is wrong with one field of a network configuration, and what is allowed there.
public struct FieldProblem: Error, Equatable, Sendable, CustomStringConvertible {
    /// The field, such as `network.connect[0].transport`.
    public let path: String
    /// What is wrong with it, without the value when that is a secret.
    public let text: String

    /// Composes a problem.
    public init(_ path: String, _ text: String) {
        self.path = path
        self.text = text
    }

    /// `network.connect[0].transport: "tsl" is not one of tls, socket, serial, bluetooth, none`
    public var description: String { "\(path): \(text)" }
}

/// Everything that is wrong with a network configuration.
public struct ConfigurationProblems: Error, Equatable, Sendable, CustomStringConvertible {
    /// At least one.
    public let problems: [FieldProblem]

    /// Composes an error; `problems` must not be empty.
    public init(_ problems: [FieldProblem]) { self.problems = problems }

    /// One line for each.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
