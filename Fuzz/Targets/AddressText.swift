// sources: Sources/IOCOMTransport/ConnectionAddress.swift
// options: -max_len=300

/// The URL of a connection: what is read is written and read as the same. Its module needs NIO, so the one file is compiled.
func fuzz(_ input: [UInt8]) {
    do {
        let address = try ConnectionAddress(parsing: String(decoding: input, as: UTF8.self))
        precondition((0...65535).contains(address.port) && !address.host.isEmpty)
        precondition((try? ConnectionAddress(parsing: address.description)) == address)
    } catch {
        _ = error.description
    }
}
