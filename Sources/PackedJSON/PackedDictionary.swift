/// Texts that every node knows by number (application-layer.md 5.3).
enum StaticDictionary {
    static let texts = [
        "-", "groups", "signals", "name", "array", "type", "addr", "bank", "unit", "min",
        "max", "digs", "mblk", "pflag", "boolean", "char", "uchar", "short", "ushort", "int",
        "uint", "long", "float", "double", "str", "exp", "imp", "*", "network", "publish",
        "connect", "flags", "transport", "parameters", "device_nr", "network_name", "password", "gateway", "subnet",
    ]
    static let numbers = [String: Int](uniqueKeysWithValues: texts.enumerated().map { ($1, $0) })

    /// Number of the first byte of the document's own dictionary.
    static let base = 40
}

/// Codes of items (application-layer.md 5.4).
enum ItemCode: Int64 {
    case startObject = 0
    case endObject = 1
    case emptyString = 2
    case string = 3
    case zero = 4
    case one = 5
    case integer = 6
    case float = 7
    case startArray = 8
    case endArray = 9
    case null = 10
    case `true` = 11
    case `false` = 12
}
