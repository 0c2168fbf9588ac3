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

@Suite struct RightsTests {
    @Test func commandsTakeTheirOwnRight() {
        for (signal, operation) in [
            ("upd_confirm", Operation.writePrograms), ("upd_rollback", .writePrograms), ("reboot", .writeConfiguration),
            ("forget_it", .writeConfiguration), ("factory_rst", .writeConfiguration), ("cfg_back", .writeConfiguration),
            ("set_nc_pass", .writeConfiguration), ("rec_cmd", .see),
        ] {
            #expect(Rights.setting(signal) == operation)
        }
        for signal in ["set_led", "nc_net", "reboots", "rec_state", ""] { #expect(Rights.setting(signal) == nil) }
    }

    @Test func secretsAreForNobody() {
        for block in [4, 5, 7] { #expect(Rights.writing(block: block) == nil && Rights.reading(block: block) == nil) }
        for block in [1, 13] { #expect(Rights.writing(block: block) == .writePrograms) }
        for block in [2, 3, 6, 9, 11, 14, 20, 21, 60, 255, -1, 0] {
            #expect(Rights.writing(block: block) == .writeConfiguration && Rights.reading(block: block) == .readBlocks)
        }
    }
}

@Suite struct PairingCodeTests {
    @Test func bothEndsMakeTheSameCodeAndSomebodyInBetweenAnother() {
        let hash = OriginalHash.of("pass")
        let code = PairingCode(passwordHash: hash, certificate: [1, 2, 3])
        #expect(PairingCode(password: Array("pass".utf8), certificate: [1, 2, 3]) == code)
        #expect(PairingCode(passwordHash: hash, certificate: [1, 2, 4]) != code)
        #expect(PairingCode(passwordHash: OriginalHash.of("past"), certificate: [1, 2, 3]) != code)
        #expect(code.description.wholeMatch(of: /[0-9a-f]{4}(-[0-9a-f]{4}){4}/) != nil)
    }

    @Test func aTypedCodeMayHaveCapitalsAndSpaces() {
        let code = PairingCode(passwordHash: "!", certificate: [])
        #expect(code.matches(code.description.uppercased().replacing("-", with: " ")))
        #expect(!code.matches("") && !code.matches(String(code.description.dropLast())))
    }
}
