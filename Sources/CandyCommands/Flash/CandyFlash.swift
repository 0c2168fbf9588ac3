import ArgumentParser
import ByteTools
import DeviceStorage
import Glibc
import Installers
import Programs
import TerminalUI

/// `candy flash`
struct CandyFlash: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flash", abstract: "Look into the flash image of a module, running or not.",
        subcommands: [CandyFlashStatus.self, CandyFlashRead.self, CandyFlashTable.self])
}

/// Which flash.
struct FlashOptions: ParsableArguments {
    @Option(help: "Folder of the device.") var data: String?
    @Option(help: "esp32 or esp32c3; needed only when no slot tells.") var hardware: String?

    /// A copy of the flash with its table. The chip is the one whose images are in the slots.
    func open() throws -> ESPFlash {
        let folder = data.map { DataFolder($0) } ?? .standard
        let copy: NORFlash
        do { copy = try folder.flashCopy() } catch {
            throw CandyError(error.isNoSuchFile ? .notFound : .failed, error.description)
        }
        var candidates = HardwareProfile.all
        if let hardware {
            guard let profile = HardwareProfile.named(hardware) else {
                throw ValidationError("--hardware is one of \(HardwareProfile.all.map(\.name).joined(separator: ", "))")
            }
            candidates = [profile]
        }
        var first: ESPFlash?
        do {
            for profile in candidates {
                let flash = try ESPFlash(copy, profile)
                if flash.slots.indices.contains(where: { (try? flash.image(in: $0)) != nil }) { return flash }
                first = first ?? flash
            }
        } catch {
            throw CandyError(.failed, "\(folder.flashImage): \(error)")
        }
        guard let first else { throw CandyError(.failed, "\(folder.flashImage) is of no hardware known here") }
        return first
    }
}

/// `candy flash status`
struct CandyFlashStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the slots: version, state, which one boots.")
    @OptionGroup var flash: FlashOptions
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let flash = try self.flash.open()
        let data: OTAData
        do { data = try OTAData(flash.otaData, slotCount: flash.slots.count) } catch {
            throw CandyError(.failed, "\(error)")
        }
        var rows: [[String]] = []
        var objects: [JSONText] = []
        for slot in flash.slots.indices {
            let boots = data.activeSlot == slot
            let entry = data.entry(for: slot).map { data.entries[$0] }
            let image: ESPImage?
            var problem: String?
            do { image = try flash.image(in: slot) } catch {
                image = nil
                problem = "\(error)"
            }
            rows.append([
                "ota_\(slot)", boots ? "boots" : "", entry?.state.description ?? "-",
                image.map { "\($0.application.project) \($0.application.version), \($0.size) bytes" } ?? problem ?? "",
            ])
            objects.append([
                "slot": .number(slot), "boots": .bool(boots), "state": .string(entry?.state.description),
                "sequence": .number(entry?.sequence), "application": .string(image?.application.project),
                "version": .string(image?.application.version), "bytes": .number(image?.size),
                "problem": .string(problem),
            ])
        }
        if json {
            print(JSONText.lines(objects).text)
        } else {
            for row in rows { print(DisplayText.clean(columns(row, [8, 7, 16]))) }
        }
    }
}

/// `candy flash read`
struct CandyFlashRead: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Write the program of a slot to a file, exactly as it was installed.")
    @OptionGroup var flash: FlashOptions
    @Option(help: "Slot, 0 or 1.") var slot: Int
    @Argument(help: "File to write.") var file: String

    func run() throws {
        let flash = try self.flash.open()
        guard flash.slots.indices.contains(slot) else { throw ValidationError("--slot is 0 or 1") }
        let bytes: [UInt8]
        do {
            let image = try flash.image(in: slot)
            bytes = try flash.slots[slot].bytes(at: 0, count: image.size)
            print("\(image.application.project) \(image.application.version), \(image.size) bytes")
        } catch {
            throw CandyError(.notFound, "slot \(slot) holds no program: \(error)")
        }
        try replaceFile(file, with: bytes)
    }
}

/// `candy flash table`
struct CandyFlashTable: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "table", abstract: "Show the partition table, in the CSV form of ESP-IDF.")
    @OptionGroup var flash: FlashOptions
    @Option(help: "Also write the table's bytes, as they are on the flash, to this file.") var output: String?

    func run() throws {
        let flash = try self.flash.open()
        print("# name, type, subtype, offset, size, flags")
        for partition in flash.table.partitions {
            let kind = partition.kind
            let type = kind.isApplication ? "app" : kind.type == 1 ? "data" : "\(kind.type)"
            let subtype =
                switch kind {
                case .otaData: "ota"
                case .undefinedData: "undefined"
                default: kind.otaSlot.map { "ota_\($0)" } ?? "\(kind.subtype)"
                }
            let numbers = "0x\(String(partition.offset, radix: 16)), 0x\(String(partition.size, radix: 16))"
            print(DisplayText.clean("\(partition.label), \(type), \(subtype), \(numbers), \(partition.flags)"))
        }
        guard let output else { return }
        do {
            let bytes = try flash.device.read(at: PartitionTable.flashOffset, count: PartitionTable.encodedSize)
            try replaceFile(output, with: bytes)
        } catch let error as FlashError {
            throw CandyError(.failed, "\(error)")
        }
    }
}

/// Texts side by side, all but the last padded.
private func columns(_ texts: [String], _ widths: [Int]) -> String {
    zip(texts, widths).map { DisplayText.pad($0, to: $1) }.joined() + (texts.last ?? "")
}
