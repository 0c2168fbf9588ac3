import IOCOM
import Installers
import NIOCore
import NIOPosix

/// The life of a module: boot, run, restart, boot again, until it is told to stop.
struct ModuleLife: Sendable {
    let settings: CandySettings
    let log: EventLog
    let stop: StopRequest

    /// Returns when `stop` was requested. Fails when there is nothing that could be booted.
    func live() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            try await live(on: group.next())
            try await group.shutdownGracefully()
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private func live(on loop: any EventLoop) async throws {
        while !stop.isRequested {
            let module = try await NIOThreadPool.singleton.runIfActive { [settings, log] in
                try BootedModule.boot(settings, log: log)
            }
            defer { module.switchOff() }
            if module.behaviour.crashesAtBoot {
                // The next boot gives it up when it is on trial. A module with nothing else crashes for ever, at the pace
                // of a watchdog.
                log.note("crashed", "the program \(module.version) crashed while it started")
                try await Task.sleep(for: .milliseconds(module.isOnTrial ? 100 : 2000))
                continue
            }
            let run = try await ModuleRun(settings, module, log: log, on: loop)
            switch try await run.run(until: stop) {
            case .stopped: log.note("stopped", "stopped")
            case .restart(let reason): log.note("restart", "restarting: \(reason)")
            }
        }
    }
}
