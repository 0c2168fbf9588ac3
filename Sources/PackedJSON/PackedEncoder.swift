internal import IOCOM

extension JSON {
    /// The packed form of this object (application-layer.md, section 5), byte for byte as the original writes it.
    /// - Throws: when the document has no packed form or exceeds `options.limits`.
    public func packed(_ options: PackingOptions = PackingOptions()) throws(PackingError) -> [UInt8] {
        guard case .object(let members) = self else { throw .notAnObject }
        var encoder = PackedEncoder(options)
        try encoder.add(members, depth: 1)
        return try encoder.document()
    }
}

/// Collects the dictionary and the content of one document.
private struct PackedEncoder {
    private let options: PackingOptions
    private var dictionary: [UInt8] = []
    /// Keys are bytes: equal strings may differ in bytes (composed and decomposed letters).
    private var offsets: [[UInt8]: Int] = [:]
    private var content: [UInt8] = []

    init(_ options: PackingOptions) { self.options = options }

    func document() throws(PackingError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(dictionary.count + content.count + 16)
        append(dictionary.count, to: &bytes)
        bytes.append(contentsOf: dictionary)
        append(content.count, to: &bytes)
        bytes.append(contentsOf: content)
        let checksum = CRC16.of(bytes)
        bytes.append(UInt8(truncatingIfNeeded: checksum))
        bytes.append(UInt8(truncatingIfNeeded: checksum >> 8))
        guard bytes.count <= options.limits.bytes else { throw .tooLong(limit: options.limits.bytes) }
        return bytes
    }

    mutating func add(_ members: [JSON.Member], depth: Int) throws(PackingError) {
        guard depth <= options.limits.depth else { throw .tooDeep(limit: options.limits.depth) }
        for member in members where !options.skipped.contains(member.name) {
            let tag = try reference(to: member.name)
            try add(member.value, named: member.name, tag: tag, depth: depth)
        }
    }

    private mutating func add(_ json: JSON, named name: String, tag: Int, depth: Int) throws(PackingError) {
        guard dictionary.count + content.count <= options.limits.bytes else {
            throw .tooLong(limit: options.limits.bytes)
        }
        switch json {
        case .null: item(options.keepsQuirks ? .null : .emptyString, tag)
        case .bool(let value):
            if options.keepsQuirks { item(value ? .true : .false, tag) } else { item(value ? .one : .zero, tag) }
        case .integer(0): item(.zero, tag)
        case .integer(1): item(.one, tag)
        case .integer(let value):
            item(.integer, tag)
            append(value, to: &content)
        case .number(let value): try add(value, tag)
        case .string(let text): try add(text, named: name, tag)
        case .array(let elements):
            guard depth < options.limits.depth else { throw .tooDeep(limit: options.limits.depth) }
            item(.startArray, tag)
            for element in elements { try add(element, named: "", tag: 0, depth: depth + 1) }
            item(.endArray, 0)
        case .object(let members):
            item(.startObject, tag)
            try add(members, depth: depth + 1)
            item(.endObject, 0)
        }
    }

    private mutating func add(_ text: String, named name: String, _ tag: Int) throws(PackingError) {
        var text = text
        if name == "password", let hash = options.hashPassword, PackingOptions.isPlainPassword(text) {
            text = hash(text)
        }
        guard !text.isEmpty else { return item(.emptyString, tag) }
        let reference = try reference(to: text)
        item(.string, tag)
        append(reference, to: &content)
    }

    private mutating func add(_ number: Double, _ tag: Int) throws(PackingError) {
        let value = Float(number)
        guard value.isFinite else { throw .numberOutOfRange(number) }
        // Denormal values cannot be expressed: packed significands have their highest bit set.
        guard value.isNormal else { return item(.zero, tag) }
        guard value != 1 else { return item(.one, tag) }
        item(.float, tag)
        let significand = Int64(value.significandBitPattern | 1 << 23)
        let odd = significand >> Int64(significand.trailingZeroBitCount)
        append(value < 0 ? -odd : odd, to: &content)
        append(Int64(value.exponent), to: &content)
    }

    private mutating func item(_ code: ItemCode, _ tag: Int) {
        append(Int64(tag) << 4 | code.rawValue, to: &content)
    }

    private mutating func reference(to text: String) throws(PackingError) -> Int {
        if let number = StaticDictionary.numbers[text] { return number }
        let bytes = Array(text.utf8)
        if let offset = offsets[bytes] { return StaticDictionary.base + offset }
        guard !bytes.contains(0) else { throw .textWithNUL }
        let offset = dictionary.count
        dictionary.append(contentsOf: bytes)
        dictionary.append(0)
        offsets[bytes] = offset
        return StaticDictionary.base + offset
    }

    private func append(_ value: some BinaryInteger, to bytes: inout [UInt8]) {
        let packed = PackedInteger(Int64(value))
        for i in 0..<packed.count { bytes.append(packed[i]) }
    }
}
