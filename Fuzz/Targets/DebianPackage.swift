// modules: IOCOM PackedJSON DeviceDescription ByteTools Programs DeviceStorage Installers UpdateTesting
// options: -max_len=1024
@testable import Programs
import UpdateTesting

/// The members of a Debian package, and the fields of its control file as dpkg-deb prints them.
func fuzz(_ input: [UInt8]) {
    fuzzDebianPackage(input)
    guard let package = try? DebianPackage(fields: String(decoding: input, as: UTF8.self)) else { return }
    for field in [package.package, package.version, package.architecture] {
        precondition((1...200).contains(field.utf8.count) && field.utf8.allSatisfy { (0x21...0x7E).contains($0) })
    }
}
