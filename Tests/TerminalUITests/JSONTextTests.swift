import Testing

import TerminalUI

@Suite("JSON output")
struct JSONTextTests {
    @Test("members keep their order and absent values are null")
    func objects() {
        let result: JSONText = [
            "device": "candy1.cafenet", "bytes": .number(UInt64.max), "newest": true, "count": -3,
            "reason": .string(nil), "list": ["a", 1, false], "none": .number(nil as Int?),
        ]
        #expect(
            result.text == #"{"device":"candy1.cafenet","bytes":18446744073709551615,"newest":true,"count":-3,"#
                + #""reason":null,"list":["a",1,false],"none":null}"#)
    }

    @Test("texts are escaped as RFC 8259 asks, and more where a terminal would obey")
    func escapes() {
        #expect(JSONText.string("\"\\\n\r\t\u{0}\u{1F}").text == #""\"\\\n\r\t\u0000\u001f""#)
        #expect(JSONText.string("\u{1B}\u{7F}\u{9B}\u{2028}").text == #""\u001b\u007f\u009b\u2028""#)
        #expect(JSONText.string("Café ☕ 🇦🇹/").text == "\"Café ☕ 🇦🇹/\"")
        #expect(JSONText.object([("a\"b", .null)]).text == #"{"a\"b":null}"#)
        // A line feed after a carriage return is one character of Swift and two of JSON.
        #expect(JSONText.string("\r\n").text == #""\r\n""#)
    }

    @Test("numbers are plain, and what JSON cannot express is null")
    func numbers() {
        #expect(JSONText.number(2.0).text == "2")
        #expect(JSONText.number(0.1).text == "0.1")
        #expect(JSONText.number(-1.5e-7).text == "-1.5e-07")
        #expect(JSONText.number(Double.nan).text == "null")
        #expect(JSONText.number(-Double.infinity).text == "null")
        #expect(JSONText.number(1e300).text == "1e+300")
        #expect(JSONText.seconds(.milliseconds(1234)).text == "1.234")
        #expect(JSONText.seconds(.microseconds(1_999_999)).text == "2")
    }

    @Test("lists can stand one element a line")
    func lines() {
        #expect(JSONText.lines([]).text == "[]")
        #expect(JSONText.lines([["a": 1], ["a": 2]]).text == "[\n  {\"a\":1},\n  {\"a\":2}\n]")
    }

    @Test("exit codes are those of the contract")
    func exitCodes() {
        #expect(ExitCode.allCases.map(\.rawValue) == [0, 1, 2, 3, 4, 5])
        #expect(ExitCode.usage.rawValue == 2 && ExitCode.noConnection.rawValue == 3)
        #expect(ExitCode.notFound.rawValue == 4 && ExitCode.notInstalled.rawValue == 5)
    }
}
