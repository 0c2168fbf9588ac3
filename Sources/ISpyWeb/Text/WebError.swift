import Hummingbird
import IOOperator
import NetworkConfiguration
import PackedJSON

/// Why a request was not done, for the page and for scripts.
struct WebError: Error, HTTPResponseError {
    /// Kinds, as they stand in answers (docs/openapi.yaml).
    enum Kind: String, Sendable {
        case usage, loginNeeded, forbidden, loginRefused, notFound, deviceNotFound, busy, tooLarge, notSupported, failed
        case refused, noConnection
    }

    let kind: Kind
    /// What happened, to which device, why, what to do.
    let text: String
    /// What is wrong with fields of a document.
    let fields: [FieldProblem]

    init(_ kind: Kind, _ text: String, fields: [FieldProblem] = []) {
        self.kind = kind
        self.text = text
        self.fields = fields
    }

    init(_ error: OperatorError) {
        kind =
            switch error.kind {
            case .noConnection: .noConnection
            case .loginRefused: .loginRefused
            case .deviceNotFound: .deviceNotFound
            case .packageNotFound: .notFound
            case .notSupported: .notSupported
            case .refused: .refused
            case .notAllowed: .forbidden
            case .busy: .busy
            case .failed, .cancelled: .failed
            }
        text = error.description
        fields = []
    }

    var status: HTTPResponse.Status {
        switch kind {
        case .usage: .badRequest
        case .loginNeeded: .unauthorized
        case .forbidden, .loginRefused: .forbidden
        case .notFound, .deviceNotFound: .notFound
        case .busy: .conflict
        case .tooLarge: .contentTooLarge
        case .notSupported, .failed, .refused: .unprocessableContent
        case .noConnection: HTTPResponse.Status(code: 424, reasonPhrase: "Failed Dependency")
        }
    }

    var json: JSON {
        var error: JSON = ["kind": .string(kind.rawValue), "text": .string(text)]
        if !fields.isEmpty {
            error["fields"] = .array(fields.map { ["path": .string($0.path), "text": .string($0.text)] })
        }
        return ["error": error]
    }

    func response(from request: Request, context: some RequestContext) throws -> Response { .json(json, status) }
}

extension Response {
    /// An answer that is never kept.
    static func json(_ json: JSON, _ status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: json.compactText)))
    }

    static var nothing: Response { Response(status: .noContent, headers: [.cacheControl: "no-store"]) }
}
