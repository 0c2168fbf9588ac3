import Hummingbird
import NIOCore

/// What is known of one request.
struct WebContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Both ends of the connection.
    let peer: SocketAddress?
    let local: SocketAddress?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        peer = source.channel.remoteAddress
        local = source.channel.localAddress
    }

    /// A JSON document may be so large.
    var maxUploadSize: Int { 1 << 20 }
}
