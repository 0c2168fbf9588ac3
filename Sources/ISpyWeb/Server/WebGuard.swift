import ByteTools
import Glibc
import HTTPTypes
import Hummingbird
import NIOCore
import PackedJSON
import Synchronization

/// Lets requests through that come from the page itself or from a script with the token, and puts the rules for browsers on
/// each answer.
///
/// What it is against: another site that makes a browser send requests here (the origin must be this server, the cookie is
/// not sent along from other sites), a name of another site that leads here (the host must be one of ours), other users of
/// this machine (on loopback the kernel says who connects), and everybody else (elsewhere a password is needed).
struct WebGuard: RouterMiddleware {
    /// Sessions that are logged in at once, and wrong passwords before a pause.
    private static let mostSessions = 1_000
    private static let mostGuesses = 5
    private static let pause = Duration.seconds(5)

    static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        + "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

    /// What changes while it runs.
    final class Sessions: Sendable {
        struct State {
            var open: [String] = []
            var guesses = 0
            var closedUntil: ContinuousClock.Instant?
        }

        let state = Mutex(State())
    }

    let settings: WebSettings
    let token: String
    let sessions: Sessions
    private let peers = PeerUser()

    init(_ settings: WebSettings, token: String) {
        self.settings = settings
        self.token = token
        sessions = Sessions()
    }

    private var needsLogin: Bool { settings.password != nil }

    // MARK: A request

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await answer(request, context, next)
        } catch let error as WebError {
            response = .json(error.json, error.status)
        } catch let error as HTTPError {
            let kind: WebError.Kind =
                switch error.status.code {
                case 404, 405: .notFound
                case 413: .tooLarge
                case 400..<500: .usage
                default: .failed
                }
            response = .json(
                WebError(kind, error.body ?? "\(request.uri.path): \(error.status.reasonPhrase)").json, error.status)
        } catch let error where !(error is CancellationError) {
            let failure = WebError(.failed, "\(request.uri.path): \(error)")
            response = .json(failure.json, failure.status)
        }
        response.headers[.contentSecurityPolicy] = Self.policy
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[Self.referrerPolicy] = "no-referrer"
        response.headers[Self.openerPolicy] = "same-origin"
        response.headers[Self.resourcePolicy] = "same-origin"
        return response
    }

    private static let referrerPolicy = fieldName("Referrer-Policy")
    private static let openerPolicy = fieldName("Cross-Origin-Opener-Policy")
    private static let resourcePolicy = fieldName("Cross-Origin-Resource-Policy")
    private static func fieldName(_ text: String) -> HTTPField.Name { HTTPField.Name(text) ?? .server }

    private func answer(
        _ request: Request, _ context: WebContext, _ next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        guard let host = request.head.authority ?? request.headers[fieldHost], isOurs(host) else {
            throw WebError(
                .forbidden,
                "this server is not asked for by that name; give it with --host-name when it is one of its names")
        }
        try checkUser(context)
        let isAPI = request.uri.path.hasPrefix("/api/")
        if isAPI, !Self.isOpen(request) {
            try authorize(request, host)
        }
        var response = try await next(request, context)
        if !isAPI, !needsLogin, !hasSession(request) {
            // On loopback who can load the page may use it: it is the user of this process.
            response.setCookie(cookie(makeSession(), request))
        }
        return response
    }

    private var fieldHost: HTTPField.Name { Self.fieldName("Host") }

    /// What can be asked without a session: whether there is one, and to get one.
    private static func isOpen(_ request: Request) -> Bool {
        request.uri.path == "/api/v1/session" && request.method == .get
            || request.uri.path == "/api/v1/login" && request.method == .post
    }

    private func checkUser(_ context: WebContext) throws {
        guard settings.isLoopback else { return }
        let own = geteuid()
        guard let user = peers.user(of: context.channel), user == own || user == 0 else {
            throw WebError(.forbidden, "another user of this machine runs this ispy")
        }
    }

    private func authorize(_ request: Request, _ host: String) throws {
        if let given = request.headers[.authorization] {
            guard given.hasPrefix("Bearer "), Secret.isSame(String(given.dropFirst(7)), token) else {
                throw WebError(
                    .loginNeeded, "the token is not right; it is in the file web-token of ispy's data folder")
            }
            return
        }
        try checkOrigin(request, host)
        guard hasSession(request) else {
            throw WebError(.loginNeeded, needsLogin ? "log in first" : "load the page first, or send the token")
        }
    }

    /// Browsers say where a request that changes something comes from.
    func checkOrigin(_ request: Request, _ host: String) throws {
        let origin = request.headers[.origin]
        let isOwn = origin == "\(settings.tls == nil ? "http" : "https")://\(host)"
        let reads = request.method == .get || request.method == .head
        guard isOwn || (reads && origin == nil) else {
            throw WebError(.forbidden, "this request comes from another site")
        }
    }

    /// An address can't be another site's name; names must be known.
    private func isOurs(_ authority: String) -> Bool {
        var host = authority[...]
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return false }
            host = host[host.index(after: host.startIndex)..<end]
        } else if let colon = host.lastIndex(of: ":") {
            host = host[..<colon]
        }
        let name = host.lowercased()
        if settings.isLoopback {
            return name == "localhost" || name == "127.0.0.1" || name == "::1" || name == settings.host
        }
        return (try? SocketAddress(ipAddress: name, port: 0)) != nil
            || settings.hostNames.contains { $0.lowercased() == name }
    }

    // MARK: Sessions

    /// Cookies do not know ports: each server of a machine needs a name of its own.
    private func cookieName(_ request: Request) -> String {
        let port = request.head.authority?.split(separator: ":").last.flatMap { UInt16($0) }
        return "ispy-\(port ?? UInt16(clamping: settings.port))"
    }

    private func cookie(_ value: String, _ request: Request) -> Cookie {
        Cookie(
            name: cookieName(request), value: value, path: "/", secure: settings.tls != nil, httpOnly: true,
            sameSite: .strict)
    }

    private func makeSession() -> String {
        let session = Secret.text()
        sessions.state.withLock { state in
            state.open.append(session)
            if state.open.count > Self.mostSessions { state.open.removeFirst() }
        }
        return session
    }

    func hasSession(_ request: Request) -> Bool {
        guard let value = request.cookies[cookieName(request)]?.value else { return false }
        return sessions.state.withLock { $0.open.contains { Secret.isSame($0, value) } }
    }

    /// Whether a login is needed, and made.
    func sessionJSON(_ request: Request) -> JSON {
        [
            "version": .string(settings.version), "needsLogin": .bool(needsLogin),
            "loggedIn": .bool(hasSession(request)),
            "packages": .string(settings.packages),
        ]
    }

    /// A session for the right password. Guessing is slow.
    func logIn(_ request: Request, _ password: String) throws -> Response {
        guard let host = request.head.authority, let wanted = settings.password else {
            throw WebError(.notFound, "no login is needed here")
        }
        try checkOrigin(request, host)
        let isRight = try sessions.state.withLock { state in
            if let until = state.closedUntil, ContinuousClock.now < until {
                throw WebError(.busy, "too many wrong passwords; wait some seconds")
            }
            let isRight = Secret.isSame(password, wanted)
            state.guesses = isRight ? 0 : state.guesses + 1
            if state.guesses >= Self.mostGuesses { state.closedUntil = .now + Self.pause }
            return isRight
        }
        guard isRight else { throw WebError(.loginRefused, "the password of this page is not right") }
        var response = Response.nothing
        response.setCookie(cookie(makeSession(), request))
        return response
    }

    func logOut(_ request: Request) -> Response {
        if let value = request.cookies[cookieName(request)]?.value {
            sessions.state.withLock { $0.open.removeAll { $0 == value } }
        }
        return .nothing
    }
}
