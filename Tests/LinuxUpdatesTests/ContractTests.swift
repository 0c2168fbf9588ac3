import Testing
import UpdateTesting

extension WithDpkg {
    @Suite(.serialized, .enabled(if: SmallSystem.isPossible)) struct ContractTests {
        @Test(arguments: InstallerContract.Clause.allCases)
        func `Linux keeps the contract of installers`(clause: InstallerContract.Clause) throws {
            try InstallerContract(LinuxUnderTest()).check(clause)
        }
    }
}
