import GoldenChecks
import Glibc

// Checks a folder of recorded conversations: `golden-check FOLDER`.
// `golden-check --record FOLDER` makes the recordings of our own machines.
if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "--record" {
    try Recorder.recordAll(into: CommandLine.arguments[2])
    exit(0)
}
guard CommandLine.arguments.count == 2 else {
    print("usage: golden-check FOLDER: checks every recorded conversation (*.jsonl) in it")
    print("       golden-check --record FOLDER: records conversations of our own machines")
    exit(2)
}
let files = GoldenReport.files(in: CommandLine.arguments[1])
guard !files.isEmpty else {
    print("\(CommandLine.arguments[1]): no recordings (*.jsonl) there; give the folder that holds them")
    exit(1)
}
print(GoldenReport.head)
var failed = 0
for file in files {
    do {
        let report = try GoldenReport(file: file)
        print(report.line)
        for (cause, count) in report.undetermined.sorted(by: { $0.key < $1.key }) { print("    \(count) × \(cause)") }
        for failure in report.failures.prefix(20) { print("    FAILED \(failure.prefix(400))") }
        if !report.failures.isEmpty { failed += 1 }
    } catch {
        print("    FAILED \(error)")
        failed += 1
    }
}
print(
    failed == 0 ? "\(files.count) conversations, all as recorded" : "\(failed) of \(files.count) conversations failed")
exit(failed == 0 ? 0 : 1)
