// modules: IOCOM PackedJSON DeviceDescription ByteTools Programs DeviceStorage Installers UpdateTesting
// options: -max_len=512
import UpdateTesting

/// Mounting a persistent store on any flash contents.
func fuzz(_ input: [UInt8]) { fuzzFlashPersistentStore(input) }
