import ArgumentParser

/// `ispy block …`
struct Block: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "block", abstract: "Reads and writes persistent blocks.",
        subcommands: [BlockRead.self, BlockWrite.self])
}
