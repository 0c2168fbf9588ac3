import Foundation
import HistoryEntries
import Hummingbird
import IOCOM
import IOOperator
import NIOCore
import PackedJSON

/// Everything that can be asked (docs/openapi.yaml).
struct WebRoutes: Sendable {
    let service: WebService
    let guardian: WebGuard

    init(_ service: WebService, _ guardian: WebGuard) {
        self.service = service
        self.guardian = guardian
    }

    func add(to router: Router<WebContext>) {
        router.get("/") { request, _ in try PageFiles.response("", request) }
        router.get("{file}") { request, context in
            try PageFiles.response(try context.parameters.require("file"), request)
        }
        let api = router.group("api/v1")
        addSession(to: api)
        addConnections(to: api)
        addDevices(to: api)
        addPackages(to: api)
        addJobs(to: api)
        addBlocks(to: api)
        addEvents(to: api)
    }

    // MARK: Reading requests

    /// A JSON body; an absent one is an empty object.
    static func body(_ request: Request, _ context: WebContext) async throws -> JSON {
        let type = request.headers[.contentType]?.split(separator: ";").first.map(String.init) ?? ""
        let bytes: ByteBuffer
        do { bytes = try await request.body.collect(upTo: context.maxUploadSize) } catch is NIOTooManyBytesError {
            throw WebError(.tooLarge, "the body is larger than \(context.maxUploadSize) bytes")
        }
        if bytes.readableBytes == 0 { return [:] }
        guard type == "application/json" else {
            throw WebError(.usage, "a body of the type application/json is needed")
        }
        do { return try JSON(parsing: bytes.readableBytesView) } catch {
            throw WebError(.usage, "the body is not JSON: \(error)")
        }
    }

    static func text(_ context: WebContext, _ name: String) throws -> String {
        let given = try context.parameters.require(name)
        guard let text = given.removingPercentEncoding, text.utf8.count <= 1_000 else {
            throw WebError(.usage, "'\(name)' can't be read")
        }
        return text
    }

    func target(_ context: WebContext) throws -> (access: Operator, target: Jobs.Target) {
        let connection = try Self.text(context, "connection")
        let text = try Self.text(context, "device")
        guard let device = DevicePath(text) else {
            throw WebError(.usage, "'\(text)' is not a device, like candy3.cafenet")
        }
        return (try service.connections.access(connection), Jobs.Target(connection: connection, device: device))
    }

    /// Runs something of an operator with its errors as answers.
    static func asking<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as OperatorError { throw WebError(error) }
    }

    // MARK: Session and connections

    private func addSession(to api: RouterGroup<WebContext>) {
        api.get("session") { request, _ in Response.json(guardian.sessionJSON(request)) }
        api.post("login") { request, context in
            try guardian.logIn(request, try await Self.body(request, context)["password"]?.text ?? "")
        }
        api.post("logout") { request, _ in guardian.logOut(request) }
    }

    private func addConnections(to api: RouterGroup<WebContext>) {
        let connections = service.connections
        api.get("profiles") { _, _ in Response.json(try connections.profilesJSON()) }
        api.delete("profiles/{name}") { _, context in
            try connections.removeProfile(try Self.text(context, "name"))
            return Response.nothing
        }
        api.post("certificate") { request, context in
            let body = try await Self.body(request, context)
            guard let url = body["connect"]?.text else { throw WebError(.usage, "'connect' is needed") }
            return Response.json(try await connections.certificate(of: url))
        }
        let finding = service.finding
        api.get("servers-found") { _, _ in Response.json(await finding.servers()) }
        api.get("connections") { _, _ in Response.json(.array(connections.board.values.map(\.json))) }
        api.post("connections") { request, context in
            Response.json(try await connections.open(try await Self.body(request, context)).json, .created)
        }
        api.delete("connections/{connection}") { _, context in
            try await connections.close(try Self.text(context, "connection"))
            return Response.nothing
        }
    }

    // MARK: Devices

    private func addDevices(to api: RouterGroup<WebContext>) {
        let service = service
        api.get("connections/{connection}/devices") { _, context in
            let access = try service.connections.access(try Self.text(context, "connection"))
            let devices = try await Self.asking { try await access.devices() }
            return Response.json(.array(devices.map { $0.json(available: service.shelf.available(for: $0)) }))
        }
        api.get("connections/{connection}/history") { request, context in
            let access = try service.connections.access(try Self.text(context, "connection"))
            let asked = try HistoryRequest(request.uri.queryParameters)
            return Response.json(.array(try await Self.asking { try await asked.read(from: access) }.map(\.json)))
        }
        let device = api.group("connections/{connection}/devices/{device}")
        device.get("/") { _, context in
            let (access, target) = try target(context)
            let summary = try await Self.asking { try await access.device(target.device) }
            return Response.json(summary.json(available: service.shelf.available(for: summary)))
        }
        device.get("signals") { _, context in
            let (access, target) = try target(context)
            return Response.json(
                try await Self.asking {
                    _ = try await access.device(target.device)
                    for await change in access.signalChanges(of: target.device) {
                        if case .all(let readings) = change { return .array(readings.map(\.json)) }
                    }
                    return []
                })
        }
        device.put("signals/{name}") { request, context in
            let (access, target) = try target(context)
            let value = try await Self.body(request, context)["value"]
            guard let text = value?.text ?? value?.compactText, value != .null else {
                throw WebError(.usage, "'value' is needed")
            }
            let name = try Self.text(context, "name")
            try await Self.asking { try await access.set(name, to: text, of: target.device) }
            return Response.nothing
        }
        device.get("memory") { _, context in
            let (access, target) = try target(context)
            let blocks = try await Self.asking { try await access.memory(of: target.device) }
            return Response.json(
                .array(
                    blocks.map { block in
                        [
                            "name": .string(block.name), "id": .integer(Int64(block.id)),
                            "size": .integer(Int64(block.size)), "flags": .string(block.flagNames),
                        ]
                    }))
        }
        device.get("memory/{block}") { request, context in
            let (access, target) = try target(context)
            let query = request.uri.queryParameters
            let range = try PageWatch.range(
                query["offset"].map { Int64($0) ?? -1 }, query["count"].map { Int64($0) ?? -1 })
            let name = try Self.text(context, "block")
            let blocks = try await Self.asking { try await access.memory(of: target.device) }
            guard let block = BlockName(name), let found = blocks.first(where: { $0.name == name }) else {
                throw WebError(.notFound, "\(target.device) has no block \(name)")
            }
            let path = BlockPath(block: block, device: target.device)
            for await part in access.memoryChanges(of: path, range) {
                return Response.json(.object(MemoryText.members(part) + [.init("size", .integer(Int64(found.size)))]))
            }
            throw WebError(.deviceNotFound, "\(target.device) went away")
        }
        device.get("pictures/{assembly}") { _, context in
            let (access, target) = try target(context)
            let assembly = try Self.text(context, "assembly")
            let summary = try await Self.asking { try await access.device(target.device) }
            guard let camera = summary.assemblies.first(where: { $0.name == assembly }) else {
                throw WebError(.notFound, "\(target.device) has no camera \(assembly)")
            }
            let key = Cameras.Key(connection: target.connection, device: target.device, assembly: assembly)
            guard let shot = service.cameras.board[key.id] else {
                throw WebError(.notFound, "no picture of \(assembly) has come yet; they come while a page watches")
            }
            if camera.kind.hasPrefix("lcam"), let line = PictureText.line(shot.picture) { return Response.json(line) }
            return PictureText.response(shot.picture)
        }
        device.get("configuration") { _, context in
            let (access, target) = try target(context)
            return Response.json(
                try await Self.asking { try await DeviceConfiguration.read(target.device, access, service.saved) })
        }
        device.post("configuration/back") { _, context in
            let (access, target) = try target(context)
            let text = try await Self.asking { try await DeviceConfiguration.goBack(target.device, access) }
            return Response.json(["text": .string(text)])
        }
        device.put("configuration") { request, context in
            let (access, target) = try target(context)
            guard let document = try await Self.body(request, context)["document"] else {
                throw WebError(.usage, "'document' is needed")
            }
            let text = try await Self.asking {
                try await DeviceConfiguration.write(document, to: target.device, access, service.saved)
            }
            return Response.json(["text": .string(text)])
        }
    }
}
