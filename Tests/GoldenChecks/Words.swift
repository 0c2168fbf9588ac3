import IOCOM

/// What stands in a report for words that the core has on the host only.
let unsaid = "(the host has words for it)"

/// What a peer did wrong.
func words(_ violation: ProtocolViolation) -> String {
    #if hasFeature(Embedded)
    unsaid
    #else
    violation.description
    #endif
}

/// The name of a block.
func words(_ path: BlockPath) -> String {
    #if hasFeature(Embedded)
    unsaid
    #else
    path.description
    #endif
}
