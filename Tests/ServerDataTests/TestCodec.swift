import Foundation
import PackedJSON

@testable import ServerData

extension AccountsCodec {
    /// Text JSON through Foundation with a leading mark and a sum: enough to notice damage, as the packed form does.
    static let test = AccountsCodec(
        pack: { json in
            let bytes = Array(try JSONSerialization.data(withJSONObject: value(json)))
            return [bytes.reduce(0, &+)] + bytes
        },
        unpack: { bytes in
            guard let sum = bytes.first, sum == bytes.dropFirst().reduce(0, &+) else { throw Damaged() }
            return json(try JSONSerialization.jsonObject(with: Data(bytes.dropFirst())))
        })

    struct Damaged: Error {}

    private static func value(_ json: JSON) -> Any {
        switch json {
        case .object(let members): Dictionary(members.map { ($0.name, value($0.value)) }) { first, _ in first }
        case .array(let elements): elements.map(value)
        case .string(let text): text
        case .integer(let number): number
        case .number(let number): number
        case .bool(let flag): flag
        case .null: NSNull()
        }
    }

    private static func json(_ value: Any) -> JSON {
        switch value {
        case let members as [String: Any]: .object(members.map { .init($0.key, json($0.value)) })
        case let elements as [Any]: .array(elements.map(json))
        case let text as String: .string(text)
        default: .null
        }
    }
}
