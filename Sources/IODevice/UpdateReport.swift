public import DeviceDescription

/// What the `update` signals say, kept up to date from what happens. A pure value.
public struct UpdateReport: Equatable {
    /// `upd_state`
    public private(set) var phase: UpdatePhase
    /// `upd_progress`: a device learns the size of a package at its end, so while a package comes in this is the part of
    /// the program slot that is filled; 100 when all of it is there.
    public private(set) var progress: Int64
    /// `upd_error`
    public private(set) var error: String
    /// `upd_text`: what the tool says that installs.
    public private(set) var text: String
    private let slotSize: UInt64

    /// Starts in a phase; `slotSize` is what progress is shown against, bytes.
    public init(_ phase: UpdatePhase, error: String = "", text: String = "", slotSize: Int) {
        self.text = text
        self.phase = phase
        self.error = error
        self.slotSize = UInt64(max(1, slotSize))
        progress = phase == .idle || phase == .rolledBack ? 0 : 100
    }

    /// Follows the control streams; everything that is not about a program is ignored. `text` is what the installing tool
    /// has said by now, when there is one that says anything.
    public mutating func note(_ event: ControlStreamEvent, text: String? = nil) {
        switch event {
        case .receiving(PersistentBlock.program):
            set(.receiving, progress: 0)
            self.text = ""
        case .received(PersistentBlock.program, let bytes):
            guard phase == .receiving else { return }
            progress = Int64(min(99, min(bytes, slotSize) * 100 / slotSize))
        case .verifying(PersistentBlock.program): set(.verifying, progress: 100)
        case .stored(PersistentBlock.program, _):
            set(.installing)
            say(text)
        case .uploadFailed(PersistentBlock.program, _, let reason):
            set(.failed, error: reason)
            say(text)
        default: return
        }
    }

    /// The package that was being checked is being installed.
    public mutating func noteInstalling(text: String?) {
        if phase == .verifying { phase = .installing }
        say(text)
    }

    /// The tool says something, if it says anything at all.
    private mutating func say(_ text: String?) {
        if let text { self.text = text }
    }

    /// Goes to a phase.
    public mutating func set(_ phase: UpdatePhase, progress: Int64? = nil, error: String = "") {
        self.phase = phase
        self.error = error
        if let progress { self.progress = progress }
    }
}
