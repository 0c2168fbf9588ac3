import Programs
import Testing
import UpdateTesting

@Suite struct CatalogueTests {
    @Test func `Packages are listed newest first, and what is odd is named with its reason`() throws {
        let folder = try TemporaryFolder()
        folder.makeFolder("esp32")
        folder.makeFolder("linux")
        for name in [
            "esp32/iocafe-candy-200712-1905-esp32-espcam.bin", "esp32/iocafe-candy-260101-0000-esp32-espcam.bin",
            "esp32/iocafe-gina-250101-0000-esp32-espcam.bin", "esp32/notes.txt",
            "esp32/iocafe-candy-270101-0000-linux-amd64.deb", "linux/iocafe-candy-250601-XXXX-linux-amd64.deb",
            "iocafe-candy-280101-0000-esp32-espcam.bin",
        ] {
            try folder.write(name, [1, 2, 3])
        }
        folder.link("esp32/iocafe-candy-290101-0000-esp32-espcam.bin", to: "/etc/passwd")
        folder.link("windows", to: "/etc")
        let listing = try Catalogue(folder: folder.path).list()
        #expect(
            listing.packages.map(\.name.description) == [
                "iocafe-candy-260101-0000-esp32-espcam.bin", "iocafe-candy-250601-XXXX-linux-amd64.deb",
                "iocafe-gina-250101-0000-esp32-espcam.bin", "iocafe-candy-200712-1905-esp32-espcam.bin",
            ])
        #expect(listing.packages.allSatisfy { $0.size == 3 })
        #expect(listing.complete)
        let skipped = Dictionary(
            uniqueKeysWithValues: listing.skipped.map { (String($0.path.dropFirst(folder.path.count + 1)), $0.reason) })
        #expect(skipped.count == 5)
        #expect(skipped["windows"] == "is a symbolic link")
        #expect(skipped["esp32/iocafe-candy-290101-0000-esp32-espcam.bin"] == "is not a regular file")
        #expect(
            skipped["esp32/iocafe-candy-270101-0000-linux-amd64.deb"] == "is for linux but lies in the folder esp32")

        let target = ProgramTarget(
            application: "candy", os: "esp32", hardware: "espcam", version: try ProgramVersion("250101-0000"))
        let sorted = listing.sorted(for: target)
        #expect(sorted.fitting.map(\.age) == [.newer, .older])
        #expect(sorted.others.count == 2)
        #expect(try Catalogue(folder: folder.path).list(os: "linux").packages.count == 1)
        #expect(try Catalogue(folder: folder.path).list(os: "../esp32").packages.isEmpty)
        #expect(try Catalogue(folder: folder.path).list(os: "windows").packages.isEmpty)
    }

    @Test func `A folder that does not exist is empty`() throws {
        let listing = try Catalogue(folder: "/no/such/folder").list()
        #expect(listing.packages.isEmpty && listing.skipped.isEmpty && listing.complete)
    }

    @Test func `The folder comes from option, environment, the usual place, or home`() {
        func folder(_ option: String?, _ environment: [String: String], _ exists: Bool) -> String {
            Catalogue.defaultFolder(option: option, environment: environment) { exists && $0 == "/coderoot/packages" }
        }
        #expect(folder("/o", ["IOCOM_PACKAGES": "/e", "HOME": "/h"], true) == "/o")
        #expect(folder(nil, ["IOCOM_PACKAGES": "/e", "HOME": "/h"], true) == "/e")
        #expect(folder(nil, ["HOME": "/h"], true) == "/coderoot/packages")
        #expect(folder(nil, ["HOME": "/h"], false) == "/h/.local/share/iocom/packages")
    }
}
