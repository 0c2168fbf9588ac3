import Hummingbird
import NIOCore

/// What is known of one request.
struct WebContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The connection it came over.
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    /// A JSON document may be so large.
    var maxUploadSize: Int { 1 << 20 }
}
