// modules: IOCOM PackedJSON ByteTools ServerData
// options: -max_len=256
@testable import ServerData

/// The file server.json: what is read is written and read as the same.
func fuzz(_ input: [UInt8]) {
    do {
        let settings = try ServerSettings(file: input)
        precondition((1...ServerSettings.mostNetworks).contains(settings.publish.count))
        precondition((try? ServerSettings(file: settings.file())) == settings)
    } catch {
        _ = error.description
    }
}
