import DeviceDescription
import Testing

struct HeardLinesTests {
    @Test func `Each line is heard once, although texts overlap`() {
        var lines = HeardLines()
        #expect(lines.hear(nil) == [])
        #expect(lines.hear("a\nb") == ["a", "b"])
        #expect(lines.hear("a\nb") == [])
        #expect(lines.hear("b\nc\nd") == ["c", "d"])
        // Away and back, with the same text.
        #expect(lines.hear(nil) == [] && lines.hear("") == [] && lines.hear("b\nc\nd") == [])
        #expect(lines.hear("x\ny") == ["x", "y"])
    }
}
