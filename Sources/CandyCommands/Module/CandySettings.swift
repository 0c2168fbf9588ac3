import Discovery
import IOCOM
import IOCOMTransport
import NIOSSL

/// What `candy run` was told.
struct CandySettings: Sendable {
    /// The version of a program that was never installed: the one built in.
    static let builtInVersion = "200101-0000"

    var address: ServerAddress
    /// Tried in turn when the first one fails.
    var otherAddresses: [ServerAddress] = []
    /// For connections over TLS as the command line has it; nil for a device that is to be paired.
    var tls: TLSClient?
    /// The certificates of the command line, PEM.
    var trustPEM: String?
    /// Nothing was given to trust: the first server that somebody lets this device in at gives it.
    var pairs = false
    /// Certificates of trusted authorities are good after their end as well.
    var allowsExpired = true
    /// For a server that is looked for; nil when no authority is trusted that is good enough for that.
    var tlsWhenFound: TLSClient?
    var folder: DataFolder
    var hardware: ModuleHardware
    /// Name of the application, and of the device unless that is configured.
    var name: DeviceName
    /// Name of the device when its configuration gives one.
    var configuredName: DeviceName?
    var network: NetworkName
    /// 9000 asks the server for one.
    var number: UInt32 = AutomaticNumber.request
    /// Nil takes the one made from the device's secret.
    var password: PasswordText?
    /// Program for a flash that is new.
    var firstProgram: [UInt8]?
    /// Keys that packages must be signed with: a file, or a folder of `*.pub`. Nil takes the folder `package-keys` of the
    /// data folder, which need not exist.
    var packageKeys: String?
    /// Socket of the machine's installer; nil takes the usual one.
    var installer: String?
    /// Wine prefix that holds the Windows of a device that is one.
    var winePrefix: String?
    /// Version of the program on a Linux machine.
    var linuxVersion = CandySettings.builtInVersion
    /// Buffer for uploads, bytes.
    var ring = 65536
    /// Buffer for downloads, bytes.
    var downloadRing = 65536
    /// Folder of JPEG files that the camera shows; nil shows a test pattern.
    var pictures: String?
    /// Time for a new program to prove itself.
    var confirmWithin: Milliseconds = 60_000
    /// Time for a new configuration to reach its server.
    var configurationWithin: Milliseconds = 120_000
    /// Pauses between attempts to connect.
    var pause: ClosedRange<Int64> = 500...30_000

    var hasAutomaticNumber: Bool { number >= AutomaticNumber.request }
}
