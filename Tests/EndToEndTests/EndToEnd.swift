import Testing

/// Tests of the real programs. One at a time: each starts several of them, and small machines have two cores.
@Suite(.serialized) enum EndToEnd {}
