import ArgumentParser
import ByteTools
import IOCOM
import IOCOMTransport
import IOOperator
import ServerData
import Synchronization
import TerminalUI

/// `ispy certificates trust DEVICE… | --all`
struct CertificatesTrust: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust",
        abstract: "Gives devices the authorities to trust (persistent block 9), or shows which they have.",
        discussion: """
            The file is checked first: it must hold authorities only, and among them the one that signed what the server \
            shows now; else the devices could not come back. Devices that have it already are left alone, the others \
            restart with it.
            """)

    /// Persistent block of the trusted authorities (application-layer.md 3.1).
    private static let block = 9

    @Argument(help: ArgumentHelp("Devices, like candy3.cafenet.", valueName: "device"))
    var devices: [DeviceArgument] = []

    @Flag(help: "All devices that are there, but for the server's own.")
    var all = false

    @Option(help: ArgumentHelp("File with the authorities; else that of --trust.", valueName: "file"))
    var file: String?

    @Flag(help: "Change nothing; show what the devices have and compare it with the file.")
    var show = false

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if devices.isEmpty != all { throw ValidationError("give either devices or --all") }
        if connection.listen != nil {
            throw ValidationError("connect to the server of the devices: what it shows has to be seen first")
        }
    }

    func run() async throws {
        let (address, settings) = try connection.server()
        guard let path = file ?? settings.trustFile else {
            throw Failure(.usage, "say which authorities: --file trust.pem")
        }
        let wanted = try TrustFile(path)
        if !show { try await wanted.check(try await CertificateLook.take(address), path: path) }
        let outcomes = try await connection.withOperator { access in
            var outcomes: [Outcome] = []
            for device in try await targets(access) {
                let outcome = try await show ? look(device, wanted, access) : give(device, wanted, access)
                if !connection.json { Output.line("\(device): \(outcome.sentence)") }
                outcomes.append(outcome)
            }
            return outcomes
        }
        if connection.json {
            Output.json(.lines(outcomes.map(\.json)))
        } else if outcomes.contains(where: { $0.state == .written }) {
            connection.note("they restart and come back with the new authorities")
        } else if outcomes.isEmpty {
            connection.note("no device is there")
        }
        let codes = outcomes.compactMap(\.code)
        if let worst = codes.max(by: { $0.rawValue < $1.rawValue }) {
            let what = show ? "could not be asked" : "did not get the authorities"
            throw Failure(worst, "\(codes.count) of \(outcomes.count) devices \(what)")
        }
    }

    private func targets(_ access: Operator) async throws -> [DevicePath] {
        guard all else { return devices.map(\.path) }
        return try await access.devices()
            .filter { !["frank", "iocomserver", "accounts"].contains($0.application) }
            .compactMap { DevicePath($0.path) }
    }

    // MARK: One device

    private enum State: String {
        case same, other, none, unreadable, written, failed
    }

    private struct Outcome {
        var device: DevicePath
        var state: State
        var certificates: [CertificateFile] = []
        var reason: String?
        var code: TerminalUI.ExitCode?
        var showsOnly = false

        var sentence: String {
            let names = certificates.map(\.subject).joined(separator: ", ")
            return switch state {
            case .same: showsOnly ? "trusts the same: \(names)" : "has it already"
            case .other: "trusts something else: \(names)"
            case .none: "has no authorities of its own (block 9 is empty or can't be read)"
            case .unreadable: "block 9 holds no certificates"
            case .written: "written: \(names)"
            case .failed: "failed: \(reason ?? "unknown")"
            }
        }

        var json: JSONText {
            .object([
                ("device", .string(device.description)), ("state", .string(state.rawValue)),
                (
                    "authorities",
                    .array(
                        certificates.map {
                            .object([("subject", .string($0.subject)), ("fingerprint", .string($0.fingerprint))])
                        })
                ), ("reason", .string(reason)),
            ])
        }
    }

    private func look(_ device: DevicePath, _ wanted: TrustFile, _ access: Operator) async throws -> Outcome {
        let held = Mutex<[UInt8]>([])
        let result: TransferResult
        do {
            result = try await access.read(
                block: Self.block, of: device,
                append: { piece in
                    try held.withLock { bytes in
                        guard bytes.count + piece.count <= CertificateFile.mostBytes else {
                            throw Failure(.failed, "block 9 of \(device) is longer than certificates are")
                        }
                        bytes += piece
                    }
                }, progress: { _ in })
        } catch let error as OperatorError {
            return failed(device, error)
        }
        // A device says in the same way that a block is empty and that it must not be read.
        guard result.failure == nil else { return Outcome(device: device, state: .none, showsOnly: true) }
        let bytes = held.withLock { $0 }
        guard !bytes.isEmpty else { return Outcome(device: device, state: .none, showsOnly: true) }
        guard let certificates = TrustFile.certificates(inBlock: bytes) else {
            return Outcome(device: device, state: .unreadable, showsOnly: true)
        }
        let isSame = Set(certificates.map(\.fingerprint)) == Set(wanted.certificates.map(\.fingerprint))
        return Outcome(device: device, state: isSame ? .same : .other, certificates: certificates, showsOnly: true)
    }

    private func give(_ device: DevicePath, _ wanted: TrustFile, _ access: Operator) async throws -> Outcome {
        var before = try await look(device, wanted, access)
        before.showsOnly = false
        if before.state == .same || before.state == .failed { return before }
        let source = ArraySource(wanted.block)
        let number = Self.block
        do {
            let result = try await Interrupt.cancelling {
                try await access.write(source, to: number, of: device, progress: { _ in })
            } ended: {
            }
            if let failure = result.failure { return failed(device, failure) }
        } catch let error as OperatorError {
            return failed(device, error)
        }
        return Outcome(device: device, state: .written, certificates: wanted.certificates)
    }

    private func failed(_ device: DevicePath, _ error: OperatorError) -> Outcome {
        Outcome(
            device: device, state: .failed, reason: error.description, code: Failure(error).code, showsOnly: show)
    }
}
