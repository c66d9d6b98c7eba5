import Problems
import TestSupport
import Testing

@Suite struct MarkdownTests {
    @Test(arguments: [
        ("# Title #", "<h1>Title</h1>\n"),
        ("Title\n=====\n", "<h1>Title</h1>\n"),
        ("a *b* **c** `d<` e", "<p>a <em>b</em> <strong>c</strong> <code>d&lt;</code> e</p>\n"),
        ("***both***", "<p><strong><em>both</em></strong></p>\n"),
        ("snake_case_name", "<p>snake_case_name</p>\n"),
        ("5 * 3 * 2", "<p>5 * 3 * 2</p>\n"),
        (
            "$a_1 * b_2$ and $5 or 6$",
            "<p><span class=\"math\">$a_1 * b_2$</span> and <span class=\"math\">$5 or 6$</span></p>\n"
        ),
        ("costs $5 and $6", "<p>costs $5 and $6</p>\n"),
        ("$$x < y$$", "<p><span class=\"math\">$$x &lt; y$$</span></p>\n"),
        ("- a\n- b\n", "<ul>\n<li>a\n</li>\n<li>b\n</li>\n</ul>\n"),
        ("1. a\n   - b\n2. c", "<ol>\n<li>a\n<ul>\n<li>b\n</li>\n</ul>\n</li>\n<li>c\n</li>\n</ol>\n"),
        ("- a\n\n- b\n", "<ul>\n<li><p>a</p>\n</li>\n<li><p>b</p>\n</li>\n</ul>\n"),
        ("```python\nif a < b:\n```\nx", "<pre><code>if a &lt; b:\n</code></pre>\n<p>x</p>\n"),
        ("    code\n", "<pre><code>code\n</code></pre>\n"),
        ("> quote\n> more\n", "<blockquote>\n<p>quote\nmore</p>\n</blockquote>\n"),
        ("---", "<hr>\n"),
        ("a\\\nb", "<p>a<br>\nb</p>\n"),
        ("1 &lt; 2 &amp; 3 & 4", "<p>1 &lt; 2 &amp; 3 &amp; 4</p>\n"),
        ("![a picture](x.png)", "<p><img src=\"x.png\" alt=\"a picture\"></p>\n"),
        ("![a picture](https://e.org/x.png)", "<p>a picture</p>\n"),
        ("\\*not\\*", "<p>*not*</p>\n"),
        (
            "[a *b*](https://example.org/?a=1&b=2)",
            "<p><a href=\"https://example.org/?a=1&amp;b=2\" rel=\"nofollow noopener noreferrer\">a <em>b</em></a></p>\n"
        ),
        ("a\n{{nextsample}}b", "<p>a\nb</p>\n"),
        (
            "|a|b|\n|-|-|\n|1|`2`|\n",
            "<table>\n<thead>\n<tr><th>a</th><th>b</th></tr>\n</thead>\n<tbody>\n<tr><td>1</td><td><code>2</code></td></tr>\n</tbody>\n</table>\n"
        ),
    ])
    func renders(source: String, html: String) { #expect(Markdown.html(source) == html) }

    @Test(arguments: [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<script>)", "[x](https://a\"onmouseover=\"alert(1))", "[x](https://a'b)",
        "<javascript:alert(1)>",
        "[x](//evil.example)", "[x]( javascript:alert(1))", "[x](https://)", "![x](javascript:alert(1))",
        "<https://a\"b>", "```<script>\n</code></pre><script>alert(1)</script>\n```", "`</code><script>`",
        "# <svg onload=alert(1)>", "- <iframe src=x>", "|<b>|x|\n|-|-|\n|<u>|y|",
        "[<b>](https://example.org)",
        "$</span><script>$", "&#60;script&#62;", "[a](https://example.org/\u{0}x)",
    ])
    func emitsOnlyItsOwnTags(source: String) { expectSafe(Markdown.html(source), source: source) }

    @Test func staysSafeOnRandomText() {
        var random = SeededGenerator()
        let again = random.description
        let parts = [
            "*", "**", "_", "`", "``", "[", "](", ")", "<", ">", "$", "$$", "\n", "\n\n", "- ", "1. ", "> ",
            "#", " ", "  ",
            "a", "https://x.y", "javascript:", "\\", "|", "|-|\n", "&lt;", "\"", "'", "```\n", "!", "\t", "é",
            "{{", "}}",
            "<script>", "    ",
        ]
        for _ in 0..<3_000 * testScale {
            let source = (0..<Int.random(in: 1...40, using: &random)).map { _ in
                parts[Int.random(in: 0..<parts.count, using: &random)]
            }.joined()
            expectSafe(Markdown.html(source), source: "\(again): \(source)")
        }
    }

    @Test(arguments: [
        "*a ", "[", "`a``", "> ", "- ", "$a ", "$$", "![a](", "**_", "\\", "|a", "<h", "#", "&", "1. \n",
        "{{", "* * ", "[a](https://x",
    ])
    func isLinear(part: String) {
        let source = String(repeating: part, count: 400_000 / part.utf8.count)
        let clock = ContinuousClock()
        let time = clock.measure { #expect(!Markdown.html(source).utf8.elementsEqual([0])) }
        #expect(time < .seconds(20))
    }

    /// Every tag in the output must be one of the renderer's, and they must be properly nested.
    private func expectSafe(_ html: String, source: String) {
        let names: Set<String> = [
            "h1", "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "blockquote", "pre", "code", "em",
            "strong", "a", "br",
            "hr", "table", "thead", "tbody", "tr", "th", "td", "span",
        ]
        var open: [String] = []
        var rest = Substring(html)
        while let start = rest.firstIndex(of: "<") {
            guard let end = rest[start...].firstIndex(of: ">") else {
                Issue.record("unfinished tag: \(source)")
                return
            }
            let tag = rest[rest.index(after: start)..<end]
            rest = rest[rest.index(after: end)...]
            if tag.hasPrefix("/") {
                #expect(open.popLast() == String(tag.dropFirst()), "bad nesting in \(html) from \(source)")
                continue
            }
            let parts = tag.split(separator: " ", maxSplits: 1).map(String.init)
            #expect(names.contains(parts.first ?? ""), "tag \(tag) from \(source)")
            if parts.count == 2 {
                let isLink =
                    parts[1].wholeMatch(of: /href="https?:\/\/[^"'<>\s]+" rel="nofollow noopener noreferrer"/)
                    != nil
                #expect(isLink || parts[1] == "class=\"math\"", "attributes \(parts[1]) from \(source)")
            }
            if !["br", "hr"].contains(parts.first ?? "") { open.append(parts.first ?? "") }
        }
        #expect(open.isEmpty, "unclosed \(open) in \(html) from \(source)")
    }
}
