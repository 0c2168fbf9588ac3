import ByteTools
import DeviceStorage
import Glibc
import Installers

/// The folder of one module: its flash image, or its persistent blocks as files.
struct DataFolder: Sendable {
    /// Where it is.
    let path: String

    init(_ path: String) { self.path = path }

    /// Where it is when nobody says (DESIGN.md section 3).
    static var standard: DataFolder {
        if geteuid() == 0 { return DataFolder("/var/lib/iocom/candy") }
        let home = getenv("HOME").map { String(cString: $0) } ?? "."
        return DataFolder(home + "/.local/share/iocom/candy")
    }

    /// Path of the flash image.
    var flashImage: String { path + "/flash.img" }

    /// Makes the folder, for its owner alone, and takes it for this process as long as the result lives.
    func claim() throws(StorageFailure) -> File {
        try Folder.makePrivate(path)
        let name = path + "/lock"
        let file: File
        do { file = try File(name, .update) } catch {
            guard error.isNoSuchFile else { throw error }
            file = try File(name, .create)
        }
        do { try file.lock() } catch {
            throw StorageFailure("\(path) is in use by another candy", systemError: error.systemError)
        }
        return file
    }

    /// A copy of the flash in memory, to look at. A running candy is not disturbed.
    func flashCopy() throws(StorageFailure) -> NORFlash {
        let file: File
        do { file = try File(flashImage, .read) } catch {
            guard error.isNoSuchFile else { throw error }
            throw StorageFailure(
                "\(path) holds no flash.img: candy never ran there, or not as an ESP32", systemError: ENOENT)
        }
        let size = try file.byteCount
        guard size <= NORFlash.largestSize else { throw StorageFailure("\(flashImage) is larger than any flash") }
        let bytes = try file.read(at: 0, count: size)
        do { return try NORFlash(contents: bytes) } catch { throw StorageFailure("\(flashImage): \(error)") }
    }
}
