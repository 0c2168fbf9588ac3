public import PackedJSON

/// Place of a field in a document: `network.connect.0.parameters` or `network.connect[0].parameters`.
public struct FieldPath: Equatable, Sendable, CustomStringConvertible {
    /// One step down.
    public enum Step: Equatable, Sendable {
        /// A member of an object.
        case name(String)
        /// An element of a list, counted from 0.
        case index(Int)
    }

    /// From the outermost object.
    public let steps: [Step]

    /// Most steps that a path may have.
    private static let deepest = 16

    init(steps: [Step]) { self.steps = steps }

    /// Reads a path; `network.` may be left out. Fails when it is none.
    public init(parsing text: String) throws(FieldProblem) {
        var dotted = ""
        for character in text {
            switch character {
            case "[": dotted += "."
            case "]": break
            default: dotted.append(character)
            }
        }
        var steps: [Step] = []
        for part in dotted.split(separator: ".", omittingEmptySubsequences: false) {
            guard !part.isEmpty else {
                throw FieldProblem(text, "is not a path like network.connect.0.parameters")
            }
            if part.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
                guard part.utf8.count <= 3, let index = Int(part) else {
                    throw FieldProblem(text, "\(part) is not the number of an entry")
                }
                steps.append(.index(index))
            } else {
                steps.append(.name(String(part)))
            }
        }
        if steps.first != .name("network") { steps.insert(.name("network"), at: 0) }
        guard (2...Self.deepest).contains(steps.count) else {
            throw FieldProblem(text, "is not a path like network.connect.0.parameters")
        }
        self.steps = steps
    }

    /// `network.connect[0].parameters`
    public var description: String {
        steps.reduce("") { text, step in
            switch step {
            case .name(let name): text.isEmpty ? name : text + "." + name
            case .index(let index): text + "[\(index)]"
            }
        }
    }
}

extension FieldPath {
    /// The value at this place; nil when there is none.
    public func value(in document: JSON) -> JSON? {
        steps.reduce(document) { value, step in
            switch step {
            case .name(let name): value?[name]
            case .index(let index): value?[index]
            }
        }
    }

    /// The document with the text `text` at this place, as the type that the field has. Objects and entries that are missing
    /// are made; an entry can only follow the last one. A list that is not there begins as a copy of the one in
    /// `defaults`, because a list replaces the built-in one as a whole.
    public func setting(_ text: String, in document: JSON, defaults: JSON) throws(FieldProblem) -> JSON {
        guard let rule = NetworkSchema.rule(self) else { throw unknown }
        let value = rule.value(of: text)
        var document = document
        if steps.count > 2, case .name(let list) = steps[1] {
            let place = FieldPath(steps: Array(steps.prefix(2)))
            if place.value(in: document) == nil, let built = defaults["network"]?[list], built.elements != nil {
                document = try Self.put(built, steps[...].prefix(2), in: document, self)
            }
        }
        return try Self.put(value, steps[...], in: document, self)
    }

    /// The document without what is at this place.
    public func removing(from document: JSON) throws(FieldProblem) -> JSON {
        guard value(in: document) != nil else {
            throw FieldProblem(description, "is not there, so it cannot be removed")
        }
        return Self.remove(steps[...], from: document)
    }

    private var unknown: FieldProblem {
        let above = FieldPath(steps: Array(steps.dropLast()))
        let names = NetworkSchema.names(below: above)
        guard !names.isEmpty else {
            return FieldProblem(
                description,
                "is not a field that can be set; fields are like network.device_nr or network.connect.0.flags")
        }
        return FieldProblem(description, "is not a field; there are \(names.joined(separator: ", "))")
    }

    private static func put(
        _ value: JSON, _ steps: ArraySlice<Step>, in document: JSON, _ path: FieldPath
    ) throws(FieldProblem) -> JSON {
        guard let step = steps.first else { return value }
        let rest = steps.dropFirst()
        var document = document
        switch step {
        case .name(let name):
            if document.members == nil { document = .object([]) }
            let isList = if case .index? = rest.first { true } else { false }
            let empty: JSON = isList ? .array([]) : .object([])
            document[name] = try put(value, rest, in: document[name] ?? empty, path)
            return document
        case .index(let index):
            var elements = document.elements ?? []
            guard index <= elements.count else {
                throw FieldProblem(
                    path.description, "there are \(elements.count) entries; the next one is number \(elements.count)")
            }
            if index == elements.count { elements.append(.object([])) }
            elements[index] = try put(value, rest, in: elements[index], path)
            return .array(elements)
        }
    }

    private static func remove(_ steps: ArraySlice<Step>, from document: JSON) -> JSON {
        guard let step = steps.first else { return document }
        let rest = steps.dropFirst()
        var document = document
        switch step {
        case .name(let name):
            guard let inner = document[name] else { return document }
            document[name] = rest.isEmpty ? nil : remove(rest, from: inner)
            return document
        case .index(let index):
            guard var elements = document.elements, elements.indices.contains(index) else { return document }
            if rest.isEmpty {
                elements.remove(at: index)
            } else {
                elements[index] = remove(rest, from: elements[index])
            }
            return .array(elements)
        }
    }
}
