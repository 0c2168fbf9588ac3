import Hummingbird
import IOCOM
import IOOperator
import NIOCore
import PackedJSON

extension WebRoutes {
    /// Devices of one batch, and how many at once.
    private static let mostTargets = 10_000
    private static let mostAtOnce: Int64 = 32

    func addPackages(to api: RouterGroup<WebContext>) {
        let service = service
        api.get("packages") { _, _ in Response.json(try await service.shelf.json(for: nil)) }
        api.post("packages") { request, _ in
            guard let name = request.uri.queryParameters["name"].map(String.init) else {
                throw WebError(.usage, "packages?name=FILE is needed")
            }
            try Self.requireBytes(request)
            let upload = try await TemporaryUpload.receive(request.body, in: service.uploads)
            return Response.json(try await service.shelf.add(upload, named: name), .created)
        }
        api.delete("packages/{name}") { _, context in
            try await service.shelf.remove(try Self.text(context, "name"))
            return Response.nothing
        }
        api.get("connections/{connection}/devices/{device}/packages") { _, context in
            let (access, target) = try target(context)
            let summary = try await Self.asking { try await access.device(target.device) }
            return Response.json(try await service.shelf.json(for: summary))
        }
    }

    /// Another type could come from a form of another site.
    static func requireBytes(_ request: Request) throws {
        guard request.headers[.contentType] == "application/octet-stream" else {
            throw WebError(.usage, "a body of the type application/octet-stream is needed")
        }
    }

    func addJobs(to api: RouterGroup<WebContext>) {
        let service = service
        api.post("connections/{connection}/devices/{device}/program") { request, context in
            let (access, target) = try target(context)
            let body = try await Self.body(request, context)
            let force = body["force"]?.flag ?? false
            let name = body["package"]?.text
            if body["dryRun"]?.flag == true {
                let text = try await Self.asking {
                    let summary = try await access.device(target.device)
                    let choice = try await service.shelf.choose(name, for: summary)
                    try choice.check(summary, force: force)
                    _ = try choice.manifest(for: summary)
                    return "would write " + choice.intent(summary)
                }
                return Response.json(["text": .string(text)])
            }
            let jobs = try service.jobs.write(
                name, to: [target], atOnce: 1, stopOnFailure: false, force: force, isBatch: false)
            return Response.json(jobs.first?.json ?? .null, .accepted)
        }
        api.post("connections/{connection}/devices/{device}/rollback") { request, context in
            _ = try await Self.body(request, context)
            return Response.json(try service.jobs.rollBack(try target(context).target).json, .accepted)
        }
        api.post("batches") { request, context in
            let body = try await Self.body(request, context)
            let targets = try (body["targets"]?.elements ?? []).map { element in
                guard let connection = element["connection"]?.text,
                    let device = element["device"]?.text.flatMap({ DevicePath($0) })
                else { throw WebError(.usage, "each of 'targets' needs 'connection' and 'device'") }
                return Jobs.Target(connection: connection, device: device)
            }
            let atOnce = body["atOnce"]?.int ?? 1
            guard (1...Self.mostTargets).contains(targets.count), (1...Self.mostAtOnce).contains(atOnce) else {
                throw WebError(
                    .usage, "1 to \(Self.mostTargets) 'targets' and 1 to \(Self.mostAtOnce) 'atOnce' are needed")
            }
            let jobs = try service.jobs.write(
                body["package"]?.text, to: targets, atOnce: Int(atOnce),
                stopOnFailure: body["stopOnFailure"]?.flag ?? true, force: body["force"]?.flag ?? false, isBatch: true)
            return Response.json(.array(jobs.map(\.json)), .accepted)
        }
        api.get("jobs") { _, _ in Response.json(.array(service.jobs.board.values.map(\.json))) }
        api.get("jobs/{job}") { _, context in
            let id = try Self.text(context, "job")
            guard let job = service.jobs.board[id] else { throw WebError(.notFound, "there is no job \(id)") }
            return Response.json(job.json)
        }
        api.post("jobs/{job}/cancel") { _, context in
            try service.jobs.cancel(try Self.text(context, "job"))
            return Response(status: .accepted)
        }
        api.delete("jobs/{job}") { _, context in
            try service.jobs.forget(try Self.text(context, "job"))
            return Response.nothing
        }
    }

    func addBlocks(to api: RouterGroup<WebContext>) {
        let service = service
        api.get("blocks") { _, _ in Response.json(BlockNames.json) }
        let path = "connections/{connection}/devices/{device}/blocks/{number}"
        api.put("\(path)") { request, context in
            let (_, target) = try target(context)
            let number = try Self.number(context)
            try BlockNames.check(number, writes: true)
            try Self.requireBytes(request)
            let upload = try await TemporaryUpload.receive(request.body, in: service.uploads)
            return Response.json(try service.jobs.write(upload, toBlock: number, of: target).json, .accepted)
        }
        api.get("\(path)") { _, context in
            let (access, target) = try target(context)
            let number = try Self.number(context)
            try BlockNames.check(number, writes: false)
            let collected = Collected(limit: TemporaryUpload.largest)
            let result = try await Self.asking {
                try await access.read(
                    block: number, of: target.device, append: { try collected.append($0) }, progress: { _ in })
            }
            if let failure = result.failure { throw WebError(failure) }
            return Response(
                status: .ok,
                headers: [
                    .contentType: "application/octet-stream", .cacheControl: "no-store",
                    .contentDisposition: "attachment; filename=\"\(target.device)-\(number).dat\"",
                ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: collected.bytes)))
        }
    }

    private static func number(_ context: WebContext) throws -> Int {
        guard let number = Int(try text(context, "number")) else { throw WebError(.usage, "a block number is needed") }
        return number
    }

    // MARK: Events

    func addEvents(to api: RouterGroup<WebContext>) {
        let service = service
        api.get("events") { request, _ in
            let page = request.uri.queryParameters["page"].map(String.init) ?? ""
            let watches = try service.pages.begin(page)
            let body = ResponseBody { writer in
                let feed = Feed()
                let events = PageEvents(service: service, feed: feed)
                let sources = Task { await events.run(watches) }
                defer {
                    feed.end()
                    sources.cancel()
                }
                while !Task.isCancelled {
                    let texts = await withTaskCancellationHandler {
                        await feed.take()
                    } onCancel: {
                        feed.end()
                    }
                    guard !texts.isEmpty else { break }
                    try await writer.write(ByteBuffer(string: texts.joined()))
                }
                try await writer.finish(nil)
            }
            return Response(
                status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], body: body)
        }
        api.put("pages/{page}/watch") { request, context in
            let watch = try PageWatch(try await Self.body(request, context))
            try service.pages.watch(try Self.text(context, "page"), watch)
            return Response.nothing
        }
    }
}
