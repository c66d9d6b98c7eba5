import Problems
import TestSupport
import Testing

@Suite struct HTMLSanitiserTests {
    private func clean(_ html: String) -> String {
        HTMLSanitiser.clean(html, imageAddress: { $0 == "a.png" ? "/images/a.png" : nil })
    }

    @Test(arguments: [
        ("<p>a &amp; b &#60; c & d</p>", "<p>a &amp; b &#60; c &amp; d</p>"),
        ("<h1 class=\"unnumbered\" id=\"x\">T</h1>", "<h1>T</h1>"),
        ("<script>alert(1)</script>after", "after"), ("<script>never closed", ""),
        ("<style>p{}</style >x", "x"), ("<img src=\"a.png\" onerror=\"x()\">", "<img src=\"/images/a.png\">"),
        ("<img src='https://evil.example/a.png' alt='A &amp; \"B\"'>", "A &amp; &quot;B&quot;"),
        ("<a href=\"javascript:alert(1)\">x</a>", "<a>x</a>"),
        (
            "<a href=\"https://e.org/?a=1&b=2\">x</a>",
            "<a href=\"https://e.org/?a=1&amp;b=2\" rel=\"nofollow noopener noreferrer\">x</a>"
        ),
        ("<p>open <em>both", "<p>open <em>both</em></p>"), ("</p></em>x", "x"),
        ("<b><i>x</b>y</i>", "<b><i>x</i></b>y"), ("a < b <3 <", "a &lt; b &lt;3 &lt;"),
        ("<!-- <script> --><!DOCTYPE x><?php ?>y", "y"), ("<unknown x=\"<p>\">in</unknown>", "in"),
        ("<td colspan=\"2\" style=\"x\">c</td>", "<td colspan=\"2\">c</td>"),
        ("<td colspan=\"2 onclick=x\">c</td>", "<td>c</td>"), ("<p a=b>x</p>", "&lt;p a=b&gt;x"),
        (
            "<math display=\"inline\" xmlns=\"u\"><semantics><msub><mi>m</mi><mn>1</mn></msub><annotation "
                + "encoding=\"application/x-tex\">m_1</annotation></semantics></math>",
            "<math display=\"inline\"><msub><mi>m</mi><mn>1</mn></msub></math>"
        ),
        ("<math href=\"javascript:x\"><maction>y</maction></math>", "<math>y</math>"),
        ("<svg><script>x</script></svg>z", "z"),
        ("<span class=\"math\">$x$</span>", "<span class=\"math\">$x$</span>"),
    ])
    func writesOnlyWhatIsAllowed(html: String, expected: String) {
        #expect(clean(html) == expected)
    }

    /// Whatever comes in: tags are known and balanced, and nothing but the listed attributes is there.
    @Test func holdsForAnyInput() throws {
        var random = SeededGenerator()
        let pieces = [
            "<", ">", "</", "/>", "p", "script", "img", "a", "math", "mi", "annotation", " ", "\"", "'", "=",
            "href",
            "src", "onload", "javascript:", "a.png", "&", ";", "#x41", "<!--", "-->", "é", "\u{0}", "x",
            "<p>", "</p>",
            "<script>", "</script>", "<a href=\"https://e.org\">", "style",
        ]
        for _ in 0..<(2_000 * testScale) {
            let count = Int.random(in: 0...60, using: &random)
            let html = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            let result = clean(html)
            guard isBalanced(result) else {
                Issue.record("\(html) gave \(result); \(random)")
                return
            }
        }
    }

    private func isBalanced(_ html: String) -> Bool {
        let allowed = ["p", "img", "a", "math", "mi"]
        var open: [Substring] = []
        for part in html.split(separator: "<", omittingEmptySubsequences: false).dropFirst() {
            guard let end = part.firstIndex(of: ">") else { return false }
            let tag = part[..<end]
            let name = tag.split(separator: " ")[0]
            if name.hasPrefix("/") {
                guard open.popLast() == name.dropFirst() else { return false }
            } else {
                let attributes = tag.dropFirst(name.count)
                guard allowed.contains(String(name)), !attributes.contains("onload") else { return false }
                guard !attributes.contains("javascript:") || attributes.contains("alt=") else { return false }
                if name != "img" { open.append(name) }
            }
        }
        return open.isEmpty && !html.contains("\u{0}")
    }
}
