import Crypto
import ByteTools
import Hummingbird
import NIOCore

/// The files of the page, which are part of the program.
enum PageFiles {
    /// Name, type and content.
    private struct File {
        var type: String
        var bytes: ByteBuffer
        var tag: String
    }

    private static let files: [String: File] = {
        var files: [String: File] = [:]
        for (name, bytes) in PageContent.all {
            let tag = hexadecimal(Array(SHA256.hash(data: bytes)).prefix(16).map { $0 })
            files[name] = File(type: type(name), bytes: ByteBuffer(bytes: bytes), tag: "\"\(tag)\"")
        }
        return files
    }()

    private static func type(_ name: String) -> String {
        switch name.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "svg": "image/svg+xml"
        case "yaml": "application/yaml"
        default: "application/octet-stream"
        }
    }

    /// A file by its name; the empty one is the page.
    static func response(_ name: String, _ request: Request) throws -> Response {
        guard let file = files[name.isEmpty ? "index.html" : name] else {
            throw WebError(.notFound, "there is no such file")
        }
        let headers: HTTPFields = [.contentType: file.type, .eTag: file.tag, .cacheControl: "no-cache"]
        if request.headers[.ifNoneMatch] == file.tag { return Response(status: .notModified, headers: headers) }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: file.bytes))
    }
}
