import Testing

@testable import Access

@Suite struct AccessTableTests {
    @Test func everyRoleHasOneRow() {
        #expect(AccessTable.rows.map(\.role.rawValue).sorted() == Role.allCases.map(\.rawValue).sorted())
    }

    /// docs/security.md shows this table; it is written a second time here so that a change is made on purpose.
    @Test func theTableSaysWhatIsDocumented() {
        let documented: [Role: Set<Operation>] = [
            .viewer: [.see],
            .operator: [.see, .setSignals, .readBlocks],
            .engineer: [.see, .setSignals, .readBlocks, .writeConfiguration, .writePrograms],
            .admin: [
                .see, .setSignals, .readBlocks, .writeConfiguration, .writePrograms, .manageAccounts, .manageServer,
            ],
            .device: [.bringOwnDevice],
            .server: [.bringAnyDevice],
        ]
        for role in Role.allCases {
            for operation in Operation.allCases {
                #expect(Access(role).allows(operation) == (documented[role]?.contains(operation) == true))
            }
        }
    }

    @Test func aHigherRoleOfAnOperatorAllowsWhatALowerOneDoes() {
        let order: [Role] = [.viewer, .operator, .engineer, .admin]
        for (lower, higher) in zip(order, order.dropFirst()) {
            #expect(AccessTable.operations(of: higher).isStrictSuperset(of: AccessTable.operations(of: lower)))
            #expect(lower.combined(with: higher) == higher && higher.combined(with: lower) == higher)
        }
    }

    @Test(arguments: ["", "Admin", "admin ", "root", "administrator", String(repeating: "admin", count: 1000)])
    func otherTextsGiveNoRole(text: String) { #expect(Role(privileges: text) == nil) }

    @Test func withoutRolesEverythingIsAllowed() {
        for operation in Operation.allCases { #expect(Access.everything.allows(operation)) }
        #expect(Access.everything.refusal(of: .writePrograms, user: "root", network: "cafenet") == nil)
    }

    @Test func aRefusalNamesUserOperationRoleAndWhoHelps() {
        #expect(
            Access(.operator).refusal(of: .writePrograms, user: "eva", network: "cafenet")
                == "eva may not write programs in network cafenet: the account has the role operator; "
                + "an administrator can give it the role 'engineer' or 'admin'")
        #expect(Access(.operator).refusal(of: .setSignals, user: "eva", network: "cafenet") == nil)
    }
}
