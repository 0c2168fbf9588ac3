import ByteTools
import DeviceStorage
import Installers
import Programs
import Synchronization

/// An emulated device on one flash: what candy does around an update.
final class CampaignDevice: Sendable {
    let flash: ObservedFlash
    private let campaign: PowerCutCampaign
    private let state = Mutex<(ESPBootLoader.Boot, ESP32Installer)?>(nil)

    init(_ campaign: PowerCutCampaign, _ flash: NORFlash) {
        self.campaign = campaign
        self.flash = ObservedFlash(flash, pageSize: campaign.pageSize)
    }

    func powerOn() throws {
        let parts = try ESPFlash(flash, campaign.profile)
        let boot = try ESPBootLoader(parts).boot()
        let installer = ESP32Installer(parts, running: boot, application: campaign.application)
        state.withLock { $0 = (boot, installer) }
    }

    private func running() throws -> (boot: ESPBootLoader.Boot, installer: ESP32Installer) {
        guard let running = state.withLock({ $0 }) else { throw CampaignProblem("the device is off") }
        return running
    }

    var program: [UInt8] {
        get throws {
            let running = try running()
            return try running.installer.readImage(slot: running.boot.slot)
        }
    }

    func install(_ program: [UInt8]) throws {
        let installer = try running().installer
        try installer.start()
        var offset = 0
        while offset < program.count {
            try installer.append(Array(program[offset..<min(program.count, offset + 1000)]))
            offset += 1000
        }
        _ = try installer.finish()
    }

    func prove() throws {
        let running = try running()
        if running.boot.needsProof { try running.installer.confirm() }
    }

    func rollBack() throws { try running().installer.markInvalidAndRollBack() }

    /// Starts, proves or gives up, until a program stays.
    func settle() throws {
        for _ in 0..<6 {
            try powerOn()
            let running = try running()
            if running.boot.behaviour.crashesAtBoot { continue }
            guard running.boot.needsProof else { return }
            switch running.boot.behaviour.selfTest {
            case .passes:
                try running.installer.confirm()
                return
            case .fails, .neverEnds:
                try running.installer.markInvalidAndRollBack()
            }
        }
        throw CampaignProblem("no program stays")
    }

    /// Otadata stands for the program that runs and says that it proved itself.
    func checkOTAData() throws {
        let running = try running()
        let parts = try ESPFlash(flash, campaign.profile)
        let data = try OTAData(parts.otaData, slotCount: parts.slots.count)
        guard let active = data.active, data.activeSlot == running.boot.slot else {
            throw CampaignProblem("otadata stands for slot \(data.activeSlot.map(String.init) ?? "none"), another runs")
        }
        guard data.entries[active].state == .valid else {
            throw CampaignProblem("the program that stays is in state \(data.entries[active].state)")
        }
    }

    func checkValues() throws {
        let store = try FlashPersistentStore(ESPFlash(flash, campaign.profile).blocks)
        guard try store.blocks() == PowerCutCampaign.values.keys.sorted() else {
            throw CampaignProblem("the persistent blocks are \(try store.blocks())")
        }
        for (block, value) in PowerCutCampaign.values where try store.read(block) != value {
            throw CampaignProblem("persistent block \(block) changed")
        }
    }
}

/// What was found wrong after a cut.
struct CampaignProblem: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
