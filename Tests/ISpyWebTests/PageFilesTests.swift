import Foundation
import Testing

@testable import ISpyWeb

struct PageFilesTests {
    /// The folder of the page.
    private static let folder =
        #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/Sources/ISpyWeb/Page"

    @Test func `All files of the page are in the program, as they are in the folder`() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder).sorted()
        #expect(PageContent.all.map(\.name).sorted() == names)
        for (name, bytes) in PageContent.all {
            let file = try Data(contentsOf: URL(fileURLWithPath: Self.folder + "/" + name))
            #expect(Array(file) == bytes, "\(name)")
        }
    }

    @Test func `All modules are loaded at once, not one after the other`() throws {
        let page = String(decoding: PackageResources.index_html, as: UTF8.self)
        for (name, _) in PageContent.all where name.hasSuffix(".js") {
            #expect(page.contains("=\"\(name)\""), "\(name) is not named in index.html")
        }
    }

    @Test func `The page needs nothing that its rules forbid`() throws {
        for (name, bytes) in PageContent.all where name != "openapi.yaml" {
            let text = String(decoding: bytes, as: UTF8.self)
            for forbidden in [
                "innerHTML", "outerHTML", "insertAdjacentHTML(", "document.write", "eval(", "new Function",
            ] {
                #expect(!text.contains(forbidden), "\(name) uses \(forbidden)")
            }
            // Nothing comes from another site; the namespace of SVG is a name, not a place.
            let rest = text.replacingOccurrences(of: "http://www.w3.org/2000/svg", with: "")
            #expect(!rest.contains("http://") && !rest.contains("https://"), "\(name) names another site")
            if name.hasSuffix(".html") { #expect(!text.contains(" style=") && !text.contains("<script>"), "\(name)") }
        }
    }
}

struct WebTextTests {
    @Test func `Moments are texts of ISO 8601`() {
        #expect(WebTime.text(0) == "1970-01-01T00:00:00Z")
        #expect(WebTime.text(1_795_000_000) == "2026-11-18T11:06:40Z")
    }

    @Test func `Secrets differ, and are compared whole`() {
        let one = Secret.text()
        #expect(one.utf8.count == 64 && one != Secret.text())
        #expect(Secret.isSame(one, one) && !Secret.isSame(one, String(one.dropLast())))
        #expect(!Secret.isSame(one, String(one.dropLast()) + (one.hasSuffix("0") ? "1" : "0")))
    }

    @Test func `Blocks that never leave a device can't be asked for`() {
        for number in [1, 4, 5, 7, 0, 128, -1] {
            #expect(throws: WebError.self, "\(number)") { try BlockNames.check(number, writes: false) }
        }
        for number in [3, 4, 5, 7, 128] {
            #expect(throws: WebError.self, "\(number)") { try BlockNames.check(number, writes: true) }
        }
        #expect(throws: Never.self) {
            try BlockNames.check(14, writes: true)
            try BlockNames.check(99, writes: false)
        }
    }
}
