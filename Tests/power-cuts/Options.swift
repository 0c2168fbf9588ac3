/// What the command line asks for.
struct Options {
    static let usage = """
        usage: scripts/cuts [--json] [--page BYTES] IMAGE…
               scripts/cuts [--json] [--every N] --board NAME…

        Installs each IMAGE (an ESP program image, or a Teensy's hex file) over a small old program, cuts the power before, in the middle of and
        after every flash operation, and checks what is left: the old or the new program runs, the configuration is
        there, and another update succeeds.

        With --board it does the same with a board on the exact model of its flash controller and small programs of its
        own: stm32f429, stm32l476, stm32f405, teensy40, teensy41.

          --json         one JSON document on standard output
          --page BYTES   what one flash operation programs at most, 16 to 4096; the default 256 is what chips do,
                         4096 makes the run with a large image shorter
          --board NAME   the board; may be given several times
          --every N      cuts at every Nth word that is programmed, and at all erases and option bytes; without it at all

        Exit status: 0 no failure, 1 a cut or an image failed, 2 wrong usage, 4 an IMAGE can't be read.
        """

    /// Why the command line is wrong.
    struct Wrong: Error { let text: String }

    var images: [String] = []
    var boards: [String] = []
    var every = 1
    var json = false
    var pageSize = 256
    var help = false

    init(_ arguments: some Sequence<String>) throws(Wrong) {
        var rest = Array(arguments)[...]
        var onlyImages = false
        while let argument = rest.popFirst() {
            switch argument {
            case _ where onlyImages: images.append(argument)
            case "--": onlyImages = true
            case "--json": json = true
            case "--help", "-h": help = true
            case "--page":
                guard let text = rest.popFirst(), let size = Int(text), (16...4096).contains(size), 4096 % size == 0
                else {
                    throw Wrong(text: "--page needs a power of two from 16 to 4096")
                }
                pageSize = size
            case "--board":
                guard let name = rest.popFirst(), Outcome.boards.contains(name) else {
                    throw Wrong(text: "--board is one of \(Outcome.boards.joined(separator: ", "))")
                }
                boards.append(name)
            case "--every":
                guard let text = rest.popFirst(), let number = Int(text), (1...1000).contains(number) else {
                    throw Wrong(text: "--every needs a number from 1 to 1000")
                }
                every = number
            case _ where argument.hasPrefix("-"): throw Wrong(text: "there is no option \(argument)")
            default: images.append(argument)
            }
        }
        if images.isEmpty && boards.isEmpty && !help { throw Wrong(text: "no image given") }
    }
}
