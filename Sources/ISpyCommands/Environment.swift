import Glibc

/// The process's environment.
enum Environment {
    /// The variables this program looks at.
    static var variables: [String: String] {
        var result: [String: String] = [:]
        for name in ["IOCOM_PACKAGES", "HOME", "XDG_DATA_HOME"] {
            if let value = getenv(name) { result[name] = String(cString: value) }
        }
        return result
    }

    /// The user's editor, as other programs find it.
    static var editor: String? {
        for name in ["VISUAL", "EDITOR"] {
            if let value = getenv(name).map({ String(cString: $0) }), !value.isEmpty { return value }
        }
        return nil
    }
}
