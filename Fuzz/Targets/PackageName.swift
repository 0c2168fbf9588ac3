// modules: IOCOM PackedJSON DeviceDescription ByteTools Programs DeviceStorage Installers UpdateTesting
// options: -max_len=160
import UpdateTesting

/// Package names and versions.
func fuzz(_ input: [UInt8]) { fuzzPackageName(input) }
