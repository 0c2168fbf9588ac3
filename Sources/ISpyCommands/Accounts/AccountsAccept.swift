import Access
import ArgumentParser
import Glibc
import IOCOM
import IOOperator
import TerminalUI

/// `ispy accounts accept NETWORK NAME`
struct AccountsAccept: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept", abstract: "Lets a new device in that waits: it gets an account of its own.",
        discussion: """
            The device shows a code when it starts ('candy run' prints it). The same code is shown here: they differ when \
            somebody sits between the device and the server. Without a terminal give the device's code with --code.
            """)

    @Argument(help: .network) var network: NetworkArgument
    @Argument(help: ArgumentHelp("Name as it waits, like candy3.", valueName: "name")) var name: String
    @Option(help: "The code that the device shows.") var code: String?
    @Flag(help: "Accept without comparing the code.") var yes = false
    @Flag(help: "Let it in instead of the device that has the account now.") var replace = false
    @Option(help: ArgumentHelp("How long to wait for the device to ask.", valueName: "seconds")) var within = 10
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard (0...3600).contains(within) else { throw ValidationError("--within takes 0 to 3600 seconds") }
    }

    func run() async throws {
        let name =
            self.name.hasSuffix(".\(network.name)") ? String(self.name.dropLast(network.name.count + 1)) : self.name
        let accepted = try await connection.withOperator { access in
            let accounts = try await access.accounts(of: network.name)
            guard let device = try await accounts.waiting(for: name, seconds: Double(within)) else {
                let others = try await accounts.waiting().map(\.name)
                throw Failure(
                    .notFound,
                    "no device \(name) waits on \(network.name)"
                        + (others.isEmpty ? "" : " (these do: \(others.joined(separator: ", ")))")
                        + "; it is shown while it tries: is it on, and does it connect to this server and network?")
            }
            try compare(device)
            try await accounts.accept(device, replacing: replace)
            return device
        }
        if connection.json {
            return Output.json(
                .object([
                    ("name", .string(accepted.name)), ("network", .string(network.name.description)),
                    ("code", .string(accepted.code?.description)), ("result", .string("accepted")),
                ]))
        }
        connection.note("\(accepted.name) may log in on \(network.name); it appears when it tries again")
    }

    private func compare(_ device: WaitingDevice) throws {
        if let code {
            guard let expected = device.code else {
                throw Failure(
                    .failed, "a code can be compared over TLS only: connect with tls://, or give --yes instead")
            }
            guard expected.matches(code) else {
                throw Failure(
                    .failed,
                    "the code of \(device.name) is \(expected) here and \(code) at the device: somebody may sit between it "
                        + "and the server, or it is another device. It was not accepted")
            }
            return
        }
        if yes { return }
        guard isatty(STDIN_FILENO) == 1 else {
            throw Failure(.usage, "nobody is there to compare the code: give --code with the device's code, or --yes")
        }
        let text =
            device.code.map { "Does \(device.name) (\(device.address)) show the code \($0)?" }
            ?? "Without TLS there is no code to compare. Let \(device.name) from \(device.address) in?"
        Terminal.write(DisplayText.clean(text) + " [y/N] ", to: STDERR_FILENO)
        guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else {
            throw Failure(.failed, "\(device.name) was not accepted")
        }
    }
}
