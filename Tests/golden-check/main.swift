import Glibc
import GoldenChecks

// Checks a folder of recorded conversations: `golden-check FOLDER`.
// `golden-check --machine SOCKET FOLDER…` has a machine check them too; its results must be ours.
// `golden-check --record FOLDER` makes the recordings of our own machines.
var folders = Array(CommandLine.arguments.dropFirst())
if folders.count == 2, folders[0] == "--record" {
    try Recorder.recordAll(into: folders[1])
    exit(0)
}
var machine: RecordedMachine?
if folders.count >= 3, folders[0] == "--machine" {
    do { machine = try RecordedMachine(path: folders[1]) } catch {
        print(error)
        exit(1)
    }
    folders.removeFirst(2)
}
guard machine != nil || folders.count == 1, folders.allSatisfy({ !$0.hasPrefix("--") }) else {
    print("usage: golden-check FOLDER: checks every recorded conversation (*.jsonl) in it")
    print("       golden-check --machine SOCKET FOLDER…: and has the machine at a Unix socket check them too")
    print("       golden-check --record FOLDER: records conversations of our own machines")
    exit(2)
}
let files = folders.flatMap { GoldenReport.files(in: $0) }
guard !files.isEmpty else {
    print("\(folders.joined(separator: ", ")): no recordings (*.jsonl) there; give the folder that holds them")
    exit(1)
}
print(GoldenReport.head + (machine == nil ? "" : "  machine"))
var failed = 0
for file in files {
    do {
        let recording = try Recording(file: file)
        let report = try GoldenReport(file: file)
        let answer = try machine?.check(recording)
        print(report.line + (answer.map { "  " + ($0.first ?? "") } ?? ""))
        for (cause, count) in report.undetermined.sorted(by: { $0.key < $1.key }) { print("    \(count) × \(cause)") }
        for failure in report.failures.prefix(20) { print("    FAILED \(failure.prefix(400))") }
        let isSame = answer.map { report.agrees(with: $0) } ?? true
        if !isSame { print("    FAILED the machine says \(answer ?? []), this program \(report.answer)") }
        if !report.failures.isEmpty || !isSame { failed += 1 }
    } catch {
        print("    FAILED \(error)")
        failed += 1
    }
}
print(
    failed == 0 ? "\(files.count) conversations, all as recorded" : "\(failed) of \(files.count) conversations failed")
exit(failed == 0 ? 0 : 1)
