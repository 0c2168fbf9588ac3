/// `rounded()` would call the C library's math functions, which firmware does not have and hosts must link.
extension Int64 {
    /// The whole part; nil beyond 64 bits and for "not a number".
    init?(truncated value: Double) {
        guard value.magnitude < 0x1p63 else { return nil }
        self.init(value)
    }

    /// The nearest whole number, halves away from zero; nil beyond 64 bits and for "not a number".
    init?(nearest value: Double) {
        guard let whole = Int64(truncated: value) else { return nil }
        let rest = value - Double(whole)
        // Values with a rest are far smaller than the largest integer.
        self = rest >= 0.5 ? whole + 1 : rest <= -0.5 ? whole - 1 : whole
    }
}
