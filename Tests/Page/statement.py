#!/usr/bin/env python3
"""Hostile text: a statement that the server should have cleaned, and names and messages full of markup.

The answer with the problem is replaced on its way to the page; everything else is the real server.

usage: statement.py [BASE]
"""

import json

from browser import Person, arguments, chromium, expect
from pair import open_room

HOSTILE = """
<h1>Head</h1><p id="login" class="card" style="position:fixed">Text <b>bold</b> <unknown>kept</unknown>
<a href="javascript:window.hit=1">script link</a> <a href="//other.example/">other</a>
<a href="https://example.org/x">good link</a></p>
<script>window.hit = 1</script><style>body { display: none }</style>
<iframe src="https://example.org/"></iframe><form action="https://example.org/"><input name="password"></form>
<img src="https://example.org/spy.png"><img src="data:image/png;base64,AAAA" alt="data">
<svg><script>window.hit = 1</script></svg><math><mi>x</mi><annotation-xml encoding="text/html"><b>y</b></annotation-xml></math>
<table><tr><td colspan="2">cell</td></tr></table><pre><code>a &lt; b</code></pre>
"""

SHAPE = """(root) => {
  const all = [...root.querySelectorAll('*')];
  return {
    tags: [...new Set(all.map((element) => element.localName))].sort(),
    attributes: [...new Set(all.flatMap((element) => element.getAttributeNames()))].sort(),
    links: [...root.querySelectorAll('a')].map((link) => link.getAttribute('href')),
    hit: window.hit ?? null,
  };
}"""


def poison(route) -> None:
    response = route.fetch()
    problem = response.json()
    problem["statement"] = {"markdown": "", "html": HOSTILE}
    problem["title"] = "<img src=x> title"
    problem["samples"] = [{"input": "<b>1</b>\n", "answer": "</pre><i>2</i>\n"}]
    route.fulfill(response=response, body=json.dumps(problem))


def main() -> None:
    options = arguments(__doc__)
    with chromium() as browser:
        anna = Person(browser, "anna", options)
        anna.page.route("**/api/v1/problems/*", poison)
        open_room(anna)
        expect(anna.page.locator(".statement-title")).to_have_text("<img src=x> title")
        expect(anna.page.locator(".sample pre").nth(1)).to_have_text("</pre><i>2</i>\n")
        prose = anna.page.locator(".prose")
        expect(prose).to_contain_text("Text bold kept")
        shape = prose.evaluate(SHAPE)
        assert shape["hit"] is None, "a script of the statement ran"
        assert shape["links"] == ["https://example.org/x"], shape["links"]
        assert set(shape["tags"]) == {"a", "b", "code", "h3", "math", "mi", "p", "pre", "table", "tbody", "td", "tr"}, shape["tags"]
        assert set(shape["attributes"]) == {"colspan", "href", "rel", "target"}, shape["attributes"]
        anna.say("chat", "<img src=x onerror=alert(1)>")
        anna.hears("chat", "<img src=x onerror=alert(1)>")
        # The policy reports the styles already when the inert copy is parsed: it is at work, and nothing else is.
        reports = anna.check()
        assert reports and all("inline style" in one or "policy: style-src" in one for one in reports), reports
        print("statement: ok")


if __name__ == "__main__":
    main()
