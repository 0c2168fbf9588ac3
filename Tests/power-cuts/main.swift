import ByteTools
import Glibc
import PackedJSON

/// Ends with a message on standard error.
func leave(_ status: Int32, _ text: String) -> Never {
    let line = Array("cuts: \(text)\n".utf8)
    _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    exit(status)
}

let options: Options
do throws(Options.Wrong) {
    options = try Options(CommandLine.arguments.dropFirst())
} catch {
    leave(2, "\(error.text)\n\n\(Options.usage)")
}
if options.help {
    print(Options.usage)
    exit(0)
}
var outcomes: [Outcome] = []
do throws(StorageFailure) {
    // All files are opened first, for a campaign can take minutes.
    var files: [File] = []
    for path in options.images { files.append(try File(path, .read)) }
    func show(_ outcome: Outcome) {
        outcomes.append(outcome)
        guard !options.json else { return }
        print(outcome.text)
        fflush(nil)
    }
    for file in files { show(try Outcome(file, pageSize: options.pageSize)) }
    for board in options.boards { show(Outcome(board: board, every: options.every)) }
} catch {
    leave(4, "\(error)")
}
let isGood = outcomes.allSatisfy { $0.isGood }
if options.json {
    let document: JSON = ["good": .bool(isGood), "images": .array(outcomes.map(\.json))]
    print(document.prettyText, terminator: "")
} else {
    print(isGood ? "no failure" : "FAILED")
}
exit(isGood ? 0 : 1)
