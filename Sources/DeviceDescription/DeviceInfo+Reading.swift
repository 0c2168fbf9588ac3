internal import IOCOM
public import PackedJSON

extension DeviceInfo {
    /// Reads the content of an `info` block; bytes behind the packed document do not matter.
    ///
    /// Safe on any bytes. Unknown members are ignored. What is only shown (unit, minimum, maximum, decimals) is left out
    /// when it makes no sense; everything that says where bytes lie must be right.
    public init(packed bytes: RawSpan, limits: DeviceInfoLimits = .standard) throws(DeviceInfoError) {
        let json: JSON
        do { json = try JSON(unpacking: bytes, limits: limits.document) } catch { throw .notPacked(error) }
        try self.init(json, limits: limits)
    }

    /// Reads an array; see ``init(packed:limits:)-(RawSpan,_)``.
    public init(packed bytes: [UInt8], limits: DeviceInfoLimits = .standard) throws(DeviceInfoError) {
        try self.init(packed: bytes.span.bytes, limits: limits)
    }

    /// Reads a description in text form, such as a signals file of an application, once it is parsed.
    public init(_ json: JSON, limits: DeviceInfoLimits = .standard) throws(DeviceInfoError) {
        guard let list = json["mblk"] else { throw .noBlocks }
        let elements = try list.list("mblk")
        guard elements.count <= limits.blocks else { throw .tooManyBlocks(limit: limits.blocks) }
        var blocks: [BlockDescription] = []
        for element in elements { blocks.append(try BlockDescription(element, limits)) }
        var assemblies: [Assembly] = []
        if let list = json["assembly"] {
            let elements = try list.list("assembly")
            guard elements.count <= limits.assemblies else { throw .tooManyAssemblies(limit: limits.assemblies) }
            for element in elements { assemblies.append(try Assembly(element, limits)) }
        }
        try self.init(
            name: try json.name(optional: true), blocks: blocks, assemblies: assemblies, limits: limits)
    }
}

extension BlockDescription {
    init(_ json: JSON, _ limits: DeviceInfoLimits) throws(DeviceInfoError) {
        let name = try json.name()
        try limits.checkName(name, .block)
        var flags: BlockFlags = []
        var isConfiguration = false
        for word in (json["flags"]?.text ?? "").split(separator: ",").prefix(8) {
            switch word {
            case "up": flags.insert(.up)
            case "down": flags.insert(.down)
            case "conf": isConfiguration = true
            default: continue
            }
        }
        var groups: [GroupDefinition] = []
        if let list = json["groups"] {
            let elements = try list.list("groups")
            guard elements.count <= limits.groups else { throw .tooManyGroups(block: name, limit: limits.groups) }
            for element in elements {
                var signals: [SignalDefinition] = []
                if let list = element["signals"] {
                    for signal in try list.list("signals") { signals.append(try SignalDefinition(signal)) }
                }
                groups.append(GroupDefinition(try element.name(optional: true), signals))
            }
        }
        try self.init(name, flags, isConfiguration: isConfiguration, groups, limits: limits)
    }
}

extension SignalDefinition {
    init(_ json: JSON) throws(DeviceInfoError) {
        let name = try json.name()
        // The name goes into error texts, so it is checked before anything else can go wrong.
        try DeviceInfoLimits.standard.checkName(name, .signal)
        var type: SignalType?
        if let json = json["type"] {
            guard let text = json.text else { throw .wrongKind("type", expected: "a text") }
            type = SignalType(name: text)
            guard type != nil else {
                let isShowable = text.utf8.count <= 31 && DeviceInfoLimits.isPrintable(text)
                throw .unknownType(isShowable ? text : "…", signal: name)
            }
        }
        let unit = json["unit"]?.text ?? ""
        self.init(
            name, type, count: try json.integer("array") ?? 1, address: try json.integer("addr"),
            unit: unit.utf8.count <= DeviceInfoLimits.unitBytes && DeviceInfoLimits.isPrintable(unit) ? unit : "",
            minimum: json["min"]?.double, maximum: json["max"]?.double,
            digits: json["digs"]?.int.flatMap { (0...15).contains($0) ? Int($0) : nil },
            parameterFlags: json["pflag"]?.int.flatMap { (0...0xFFFF).contains($0) ? Int($0) : nil } ?? 0)
    }
}

extension Assembly {
    init(_ json: JSON, _ limits: DeviceInfoLimits) throws(DeviceInfoError) {
        let texts = [try json.name(), json["type"]?.text ?? "", json["exp"]?.text ?? "", json["imp"]?.text ?? ""]
        for text in texts where !text.isEmpty { try limits.checkName(text, .assembly) }
        self.init(name: texts[0], kind: texts[1], exported: texts[2], imported: texts[3])
    }
}

extension JSON {
    /// The member `name` as a text; empty when there is none and it is `optional`, checked later otherwise.
    fileprivate func name(optional: Bool = false) throws(DeviceInfoError) -> String {
        guard case .object = self else { throw .wrongKind("a list element", expected: "an object") }
        guard let value = self["name"] else {
            guard optional else { throw .wrongKind("a name", expected: "there") }
            return ""
        }
        guard let text = value.text else { throw .wrongKind("a name", expected: "a text") }
        return text
    }

    fileprivate func list(_ name: String) throws(DeviceInfoError) -> [JSON] {
        guard let elements else { throw .wrongKind(name, expected: "a list") }
        return elements
    }

    fileprivate func integer(_ name: String) throws(DeviceInfoError) -> Int64? {
        guard let value = self[name] else { return nil }
        guard let integer = value.int else { throw .wrongKind(name, expected: "an integer") }
        return integer
    }
}
