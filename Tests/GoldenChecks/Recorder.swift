import FoundationEssentials
import IOCOM
import IOCOMTestSupport

/// Records conversations of our own machines, in the form of the recordings of the original.
public final class Recorder {
    private let client: End
    private let server: End
    private var lines: [String] = []
    private var now: Milliseconds = 0

    private init(client: End, server: End) {
        self.client = client
        self.server = server
    }

    private func settle() throws {
        while true {
            let up = client.produce(now: now)
            record(up, .client)
            try server.receive(up, now: now)
            let down = server.produce(now: now)
            record(down, .server)
            try client.receive(down, now: now)
            now += 1
            if up.isEmpty && down.isEmpty { return }
        }
    }

    private func record(_ bytes: [UInt8], _ sender: Sender) {
        guard !bytes.isEmpty else { return }
        let text = hexText(bytes).filter { $0 != " " }.lowercased()
        lines.append(
            #"{"t": \#(Double(now) / 1000), "conn": 0, "dir": "\#(sender.rawValue)", "n": \#(bytes.count), "hex": "\#(text)"}"#
        )
    }

    private func write(_ block: MemoryBlock?, _ bytes: [UInt8], at address: Int) throws {
        block?.write(bytes, at: address)
        block?.publish()
        try settle()
    }

    private func save(_ file: String) throws {
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: file), options: .atomic)
    }

    /// Makes all recordings in `folder`.
    public static func recordAll(into folder: String) throws {
        for (name, isSecure) in [("device-plain", false), ("device-tls", true)] {
            let device = End(.device(secure: isSecure), blocks: blocks([.bidirectional]))
            let server = End(.server(secure: isSecure))
            server.createsBlocks = true
            try Recorder(client: device, server: server).device("\(folder)/\(name).jsonl")
        }
        for (name, twoWay) in [("operator-two-way", true), ("operator-one-way", false)] {
            let server = End(.server("frank", number: 1), blocks: blocks([.bidirectional, .dynamic, .allowResize]))
            let user = End(.operating(bidirectional: twoWay))
            user.createsBlocks = true
            user.answers = { twoWay || $0.flags.contains(.up) }
            try Recorder(client: user, server: server).operating("\(folder)/\(name).jsonl")
        }
    }

    private static func blocks(_ flags: BlockFlags) -> [MemoryBlock] {
        [
            MemoryBlock(.gina("exp"), flags.union(.up), size: 32),
            MemoryBlock(.gina("imp"), flags.union(.down), size: 24),
            MemoryBlock(.gina("conf_exp"), flags.union(.up), size: 3000),
            MemoryBlock(.gina("conf_imp"), flags.union(.down), size: 1047),
            MemoryBlock(.gina("info"), [.up, .static], size: 400),
        ]
    }

    private func device(_ file: String) throws {
        var random = Seeded(1)
        client.block("info")?.write(random.bytes(400), at: 0)
        client.block("exp")?.write(hex("03 34 12"), at: 0)
        try settle()
        try write(client.block("exp"), [0x35], at: 1)
        try write(server.block("imp"), [3, 7], at: 4)
        try write(client.block("conf_exp"), random.bytes(3000), at: 0)
        try write(server.block("conf_imp"), [1] + [UInt8](repeating: 0, count: 300) + [2], at: 10)
        client.block("conf_exp")?.write([1, 2, 3], at: 100)
        client.block("conf_exp")?.write([4, 5], at: 2990)
        try write(client.block("conf_exp"), [6], at: 0)
        now += 10_000
        try settle()
        if let block = client.block("conf_exp") { client.remove(block) }
        try settle()
        try save(file)
    }

    private func operating(_ file: String) throws {
        var random = Seeded(2)
        server.block("imp")?.write([9, 9], at: 2)
        try settle()
        try write(server.block("exp"), [3, 1, 0, 3, 2], at: 5)
        try write(client.block("imp"), [3, 7], at: 4)
        try write(server.block("imp"), [0x55], at: 10)
        try write(client.block("conf_imp"), random.bytes(700), at: 3)
        try write(server.block("conf_exp"), random.bytes(2000), at: 500)
        now += 10_000
        try settle()
        try save(file)
    }
}
