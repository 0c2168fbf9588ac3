import ArgumentParser
import Discovery
import IOCOM
import IOCOMTransport
import Installers
import Testing

@testable import CandyCommands

/// The command line of `candy run`.
@Suite struct CandyRunTests {
    private func settings(_ arguments: String...) throws -> CandySettings {
        try CandyRun.parse(["--connect", "tcp://127.0.0.1", "--data", "/nowhere"] + arguments).makeSettings()
    }

    @Test func withoutOptionsItIsAnESP32WithAnAutomaticNumberAndRingsOf64KiB() throws {
        let plain = try settings()
        #expect(plain.hardware == .esp(.esp32))
        #expect(plain.hasAutomaticNumber)
        #expect(plain.ring == 65536)
        #expect(plain.downloadRing == 65536)
        #expect(plain.confirmWithin == 60_000)
        #expect(plain.address == .fixed(ConnectionAddress(transport: .tcp, host: "127.0.0.1", port: 6368)))
        #expect(plain.name == "candy")
        #expect(plain.network == "cafenet")
    }

    @Test func optionsAreTaken() throws {
        let given = try settings("--number", "3", "--ring", "257", "--hardware", "linux", "--network", "asteroidnet")
        #expect(given.number == 3)
        #expect(given.ring == 257)
        #expect(given.downloadRing == 257)
        #expect(given.hardware == .linux)
        #expect(given.network == "asteroidnet")
        #expect(try settings("--frd-ring", "1025").downloadRing == 1025)
    }

    @Test(arguments: [
        ["--number", "9000"], ["--number", "0"], ["--ring", "1"], ["--ring", "999999999"], ["--hardware", "toaster"],
        ["--name", "candy1"], ["--name", ""], ["--name", "a.b"], ["--name", "aaaaaaaaaaaaaaaa"], ["--network", "a b"],
        ["--confirm-within", "0"], ["--image", "/nonexistent.bin"], ["--hardware", "linux", "--image", "x"],
    ])
    func whatMakesNoSenseIsRefused(arguments: [String]) {
        #expect(throws: (any Error).self) {
            try CandyRun.parse(["--connect", "tcp://127.0.0.1", "--data", "/nowhere"] + arguments).makeSettings()
        }
    }
}
