/// First payload byte of a system frame (wire-protocol.md section 0).
enum SystemMessage {
    static let blockInfo: UInt8 = 1
    static let authentication: UInt8 = 2
    static let removeBlocks: UInt8 = 3
}
