import ByteTools
import Glibc

/// What this process has in memory.
enum ProcessMemory {
    /// Resident bytes; 0 when the system does not tell. Reads a file of the kernel, so not for the event loop.
    static func residentBytes() -> Int {
        guard let file = fopen("/proc/self/statm", "re") else { return 0 }
        defer { fclose(file) }
        var text = [UInt8](repeating: 0, count: 256)
        let count = fread(&text, 1, text.count, file)
        let fields = text[..<count].split(separator: UInt8(ascii: " "))
        guard fields.count > 1, let pages = Int(String(decoding: fields[1], as: UTF8.self)) else { return 0 }
        return pages * max(0, sysconf(Int32(_SC_PAGESIZE)))
    }
}
