import Testing

@testable import IOCOM

@Suite("Stream ports")
struct StreamPortTests {
    @Test("the standard layouts have the sizes and addresses of the original")
    func standard() throws {
        let small = try StandardStreams(uploadRing: 257, downloadRing: 257)
        #expect(small.deviceBlockSize == 279 && small.controllerBlockSize == 279)
        #expect(small.download[.cmd] == 270 && small.download[.select] == 272 && small.download[.tail] == 274)
        let large = try StandardStreams()
        #expect(large.deviceBlockSize == 279 && large.controllerBlockSize == 1047)
        #expect(large.download[.cmd] == 1038 && large.download[.select] == 1040 && large.download[.tail] == 1042)
        #expect(large.upload[.buf] == 12 && large.upload[.head] == 7 && large.download[.buf] == 21)
        #expect(throws: StreamPortError.ringSize(1)) { try StandardStreams(uploadRing: 1) }
        #expect(throws: StreamPortError.ringSize(Limit.largestRing + 1)) {
            try StandardStreams(downloadRing: Limit.largestRing + 1)
        }
    }

    @Test("every signal must lie inside its block", arguments: [StreamDirection.upload, .download])
    func outside(direction: StreamDirection) throws {
        let layout = try StandardStreams()
        let imp = makeBlock("conf_imp", size: layout.controllerBlockSize)
        let exp = makeBlock("conf_exp", size: layout.deviceBlockSize)
        let good = direction == .upload ? layout.upload : layout.download
        _ = try StreamPort(controllerBlock: imp, deviceBlock: exp, addresses: good)
        for i in 0..<StreamSignal.count {
            let signal = try StreamSignal(rawValue: i).unwrapped
            let size = signal.isControllers(direction) ? imp.size : exp.size
            let length = 1 + (signal == .buf ? good.ringSize : signal.width)
            for bad in [-1, Int.min, Int.max, Int.max - 1, size - length + 1, size] {
                var addresses = good
                addresses[signal] = bad
                #expect(throws: StreamPortError.outside(signal)) {
                    try StreamPort(controllerBlock: imp, deviceBlock: exp, addresses: addresses)
                }
            }
        }
        for bad in [Int.min, -1, 0, 1, Limit.largestRing + 1, Int.max] {
            var addresses = good
            addresses.ringSize = bad
            #expect(throws: StreamPortError.ringSize(bad)) {
                try StreamPort(controllerBlock: imp, deviceBlock: exp, addresses: addresses)
            }
        }
    }

    @Test("signals that share bytes are refused")
    func overlapping() throws {
        let layout = try StandardStreams()
        let imp = makeBlock("conf_imp", size: layout.controllerBlockSize)
        let exp = makeBlock("conf_exp", size: layout.deviceBlockSize)
        var addresses = layout.upload
        addresses[.head] = 100
        #expect(throws: StreamPortError.overlapping(.buf, .head)) {
            try StreamPort(controllerBlock: imp, deviceBlock: exp, addresses: addresses)
        }
    }

    @Test("writing sets CONNECTED, and bit 1 exactly for values other than 0")
    func stateBits() throws {
        let bench = try StreamBench()
        let port = try bench.controllerPort(.upload)
        #expect(!port.isConnected(.cmd))
        port.set(.cmd, 1)
        #expect(bench.controllerImp.content[0...1] == [3, 1])
        port.set(.cmd, 0)
        #expect(bench.controllerImp.content[0...1] == [2, 0])
        port.set(.select, -2)
        #expect(bench.controllerImp.content[2...3] == [3, 0xFE])
        #expect(port.value(.select) == -2)
        port.set(.cs, 0xE165)
        #expect(bench.controllerImp.content[4...6] == [3, 0x65, 0xE1])
        port.set(.head, 256)
        #expect(bench.controllerImp.content[7...11] == [3, 0, 1, 0, 0])
        bench.controllerImp.setUnsigned(0xFFFF_FFFF, at: 8, width: 4)
        #expect(port.value(.head) == -1)
        #expect(port.canSelect(-128) && port.canSelect(127) && !port.canSelect(128))
        let download = try bench.controllerPort(.download)
        #expect(download.canSelect(255) && !download.canSelect(-1) && !download.canSelect(256))
        download.set(.select, 200)
        #expect(download.value(.select) == 200)
    }

    @Test("a block number the signal cannot hold makes no controller")
    func selects() throws {
        let bench = try StreamBench()
        #expect(UploadController(port: try bench.controllerPort(.upload), select: 128) == nil)
        #expect(DownloadController(port: try bench.controllerPort(.download), select: 256) == nil)
    }

    @Test("status texts are distinct and errors begin at 100")
    func statuses() {
        let all: [UInt8] = [0, 4, 6, 100, 104, 110, 120, 138, 140, 142, 166, 168, 186, 188, 192, 204, 7, 201]
        #expect(Set(all.map { StreamStatus(rawValue: $0).description }).count == all.count)
        for code in all { #expect(StreamStatus(rawValue: code).isError == (code >= 100)) }
        #expect(!StreamStatus.pending.isFinal && !StreamStatus.none.isFinal && StreamStatus.completed.isFinal)
    }
}
