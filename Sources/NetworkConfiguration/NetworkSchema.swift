public import PackedJSON

/// The fields of a network configuration and the checks that go beyond one field (application-layer.md 7.1).
public enum NetworkSchema {
    /// Fields of the object `network` itself.
    static let general: [(name: String, rule: FieldRule)] = [
        ("device_name", .deviceName), ("device_nr", .deviceNumber), ("network_name", .networkName),
        ("publish", .networkNames), ("password", .password), ("cust1", .text(most: 255)), ("cust2", .text(most: 255)),
    ]

    /// Lists in it: most entries and the fields of each.
    static let lists: [(name: String, most: Int, fields: [(name: String, rule: FieldRule)])] = [
        ("connect", 3, [("transport", .transport), ("parameters", .parameters), ("flags", .flags)]),
        (
            "nic", 6,
            [
                ("dhcp", .flag), ("ip", .address), ("subnet", .address), ("gateway", .address), ("dns", .address),
                ("dns2", .address), ("mac", .hardwareAddress), ("send_udp", .flag), ("receive_udp", .flag),
            ]
        ),
        ("wifi", 2, [("network", .wifiName), ("password", .wifiPassword)]),
        (
            "security", 1,
            ["certdir", "certfile", "keyfile", "rootcertfile", "trustcertfile"].map { ($0, .text(most: 255)) }
        ),
    ]

    /// Largest document that a device stores, bytes.
    public static let largestDocument = 8192

    /// Everything that is wrong with a configuration that is about to be written; empty when nothing is. Members that are
    /// not known here are left alone.
    public static func problems(in document: JSON) -> [FieldProblem] {
        guard document.members != nil else { return [FieldProblem("document", "is not an object {…}")] }
        guard let network = document["network"] else {
            return [FieldProblem("network", "is missing; all fields stand in an object called network")]
        }
        guard let members = network.members else { return [FieldProblem("network", "is not an object {…}")] }
        var problems = repeated(in: members, "network")
        for (name, rule) in general {
            if let value = network[name], let text = rule.problem(with: value) {
                problems.append(FieldProblem("network.\(name)", text))
            }
        }
        for (name, most, fields) in lists {
            if let list = network[name] { problems += listProblems(list, "network.\(name)", most, fields) }
        }
        if problems.isEmpty, let hazard = document.originalHazard {
            problems.append(FieldProblem(hazard.path, "programs of the original cannot read this: \(hazard)"))
        }
        return problems
    }

    private static func listProblems(
        _ list: JSON, _ path: String, _ most: Int, _ fields: [(name: String, rule: FieldRule)]
    ) -> [FieldProblem] {
        guard let entries = list.elements else { return [FieldProblem(path, "is not a list [{…}, …]")] }
        var problems: [FieldProblem] = []
        if entries.count > most {
            problems.append(FieldProblem(path, "has \(entries.count) entries; \(most) are allowed"))
        }
        for (index, entry) in entries.enumerated() {
            let place = "\(path)[\(index)]"
            guard let members = entry.members else {
                problems.append(FieldProblem(place, "is not an object {…}"))
                continue
            }
            problems += repeated(in: members, place)
            let isSocket = ["tls", "socket"].contains(NetworkTransport(reading: entry["transport"]?.text).rawValue)
            for (name, rule) in fields {
                guard let value = entry[name] else { continue }
                let counts = rule == .parameters && !isSocket ? .text(most: ConnectTarget.longest) : rule
                if let text = counts.problem(with: value) { problems.append(FieldProblem("\(place).\(name)", text)) }
            }
        }
        return problems
    }

    /// A name that stands twice: which of both counts differs from program to program.
    private static func repeated(in members: [JSON.Member], _ path: String) -> [FieldProblem] {
        var seen: Set<String> = []
        return members.compactMap { member in
            seen.insert(member.name).inserted ? nil : FieldProblem("\(path).\(member.name)", "stands there twice")
        }
    }

    /// The rule of a field; nil when it is not known.
    static func rule(_ path: FieldPath) -> FieldRule? {
        let steps = path.steps
        guard steps.first == .name("network") else { return nil }
        if steps.count == 2, case .name(let name) = steps[1] { return general.first { $0.name == name }?.rule }
        guard steps.count == 4, case .name(let list) = steps[1], case .index = steps[2], case .name(let name) = steps[3]
        else { return nil }
        return lists.first { $0.name == list }?.fields.first { $0.name == name }?.rule
    }

    /// True when the value of a field must not be shown. `password` is a secret wherever it stands.
    static func isSecret(_ path: FieldPath) -> Bool {
        if case .name("password")? = path.steps.last { return true }
        return rule(path)?.isSecret ?? false
    }

    /// Names that may follow in an object, for a message.
    static func names(below path: FieldPath) -> [String] {
        let steps = path.steps
        if steps == [.name("network")] { return general.map(\.name) + lists.map(\.name) }
        guard steps.count == 3, case .name(let list) = steps[1] else { return [] }
        return lists.first { $0.name == list }?.fields.map(\.name) ?? []
    }

    /// Most entries of a list; nil when it is not one.
    static func most(_ list: String) -> Int? { lists.first { $0.name == list }?.most }
}
