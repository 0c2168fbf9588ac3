import PackedJSON
import Testing

@Suite struct JSONTextTests {
    @Test func `Every kind of value is read`() throws {
        let json = try JSON(
            parsing: """
                { "null": null, "yes": true, "no": false, "zero": 0, "minus": -12, "float": 2.5e1,
                  "list": [1,2, {"a":[]}], "object": {}, "text": "a\\n\\u00e4\\ud83d\\ude80\\/" }
                """)
        #expect(
            json == [
                "null": nil, "yes": true, "no": false, "zero": 0, "minus": -12, "float": 25.0,
                "list": [1, 2, ["a": []]], "object": [:], "text": "a\nä🚀/",
            ])
    }

    @Test func `Integers beyond 64 bits become floats and repeated keys stay`() throws {
        #expect(try JSON(parsing: "9223372036854775807") == .integer(.max))
        #expect(try JSON(parsing: "-9223372036854775808") == .integer(.min))
        #expect(try JSON(parsing: "9223372036854775808") == .number(9223372036854775808))
        #expect(try JSON(parsing: #"{"a":1,"a":2}"#).members?.count == 2)
        #expect(try JSON(parsing: [0xEF, 0xBB, 0xBF, 0x31]) == 1)
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1", "[1,", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}", "[1,]", "[,1]", "{a:1}",
        "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x10", "nul", "truee", "1 2", "{} {}", "\"a", "\"\\x\"",
        "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\t\"", "'a'", "1e999",
        "NaN", "[1}", "{\"a\":1]", "\u{A0}1",
    ])
    func `Anything else is refused`(_ text: String) {
        #expect(throws: JSONTextError.self) { try JSON(parsing: text) }
    }

    @Test func `Errors tell line and column`() {
        let error = #expect(throws: JSONTextError.self) { try JSON(parsing: "{\n  \"a\": 1,\n  \"b\": x\n}") }
        #expect(error?.line == 3)
        #expect(error?.column == 8)
        #expect(error?.reason == .expected("a value"))
        #expect(error?.description == "line 3, column 8: expected a value")
        let invalid = #expect(throws: JSONTextError.self) { try JSON(parsing: [0x22, 0xC3, 0x28, 0x22]) }
        #expect(invalid?.reason == .notUTF8)
    }

    @Test func `Limits hold`() throws {
        let limits = JSONLimits(bytes: 20, depth: 3, items: 4)
        #expect(try JSON(parsing: "[[[1]]]", limits: limits) == [[[1]]])
        let deep = #expect(throws: JSONTextError.self) { try JSON(parsing: "[[[[1]]]]", limits: limits) }
        #expect(deep?.reason == .tooDeep(limit: 3))
        let many = #expect(throws: JSONTextError.self) { try JSON(parsing: "[1,2,3,4]", limits: limits) }
        #expect(many?.reason == .tooManyItems(limit: 4))
        let long = #expect(throws: JSONTextError.self) {
            try JSON(parsing: "\"123456789012345678901\"", limits: limits)
        }
        #expect(long?.reason == .tooLong(limit: 20))
        let deepest = String(repeating: "[", count: 1_000_000)
        #expect(throws: JSONTextError.self) { try JSON(parsing: deepest) }
    }

    @Test func `Writing escapes what must be escaped`() {
        let json: JSON = ["a\"\\": "\u{1}\u{1F}\n\t\r\u{8}\u{C}/ä", "n": [1, 2.5, nil, true], "e": [:]]
        #expect(
            json.compactText
                == #"{"a\"\\":"\u0001\u001f\n\t\r\b\f/ä","n":[1,2.5,null,true],"e":{}}"#)
        #expect(JSON.number(.infinity).compactText == "null")
    }

    @Test func `Pretty text has a line for each member`() {
        let json: JSON = ["a": 1, "b": [["c": "x"], [:]], "d": []]
        #expect(
            json.prettyText == """
                {
                  "a": 1,
                  "b": [
                    {
                      "c": "x"
                    },
                    {}
                  ],
                  "d": []
                }

                """)
    }

    @Test func `Random documents survive writing and reading`() throws {
        var generator = SeededGenerator(1)
        for _ in 0..<500 {
            let json = JSON.random(&generator, isPackable: false)
            #expect(try JSON(parsing: json.compactText) == json)
            #expect(try JSON(parsing: json.prettyText) == json)
        }
    }

    @Test func `Truncated and mutated texts never trap`() {
        var generator = SeededGenerator(2)
        for _ in 0..<200 {
            let text = Array(JSON.randomObject(&generator, isPackable: false).prettyText.utf8)
            for end in 0..<text.count - 1 {
                #expect(throws: JSONTextError.self) { try JSON(parsing: text[..<end]) }
            }
            var mutated = text
            for _ in 0..<20 {
                mutated[Int.random(in: 0..<mutated.count, using: &generator)] = .random(in: 0...255, using: &generator)
                _ = try? JSON(parsing: mutated)
            }
        }
    }

    @Test func `Members are looked up and replaced`() {
        var json: JSON = ["a": 1, "b": ["x", "y"], "c": 2.5, "d": true]
        json["a"] = 2
        json["e"] = "new"
        json["d"] = nil as JSON?
        #expect(json == ["a": 2, "b": ["x", "y"], "c": 2.5, "e": "new"])
        #expect(json["b"]?[1]?.text == "y")
        #expect(json["b"]?[2] == nil)
        #expect(json["a"]?.flag == true)
        #expect(json["c"]?.double == 2.5)
        #expect(json["missing"] == nil)
    }
}
