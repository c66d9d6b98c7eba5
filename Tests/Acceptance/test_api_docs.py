"""What those are given who write against the HTTP interface: the page, the cookbook, the client."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from html.parser import HTMLParser

import httpx
import pytest
import yaml

from harness.api import PASSWORD, WRONG_PYTHON, Api, accepted_python, bundled_problems, unique
from harness.server import ROOT, environment


class Page(HTMLParser):
    """Ids, links and tags of a page; fails where tags do not close in order."""

    VOID = {"meta", "link", "br"}

    def __init__(self, text: str):
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        assert self.open == [], f"{self.open} are never closed"

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "a":
            self.links.append(values["href"])
        assert not any(name.startswith("on") or name == "style" for name in values), values

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def page(server) -> Page:
    answer = httpx.get(server.http + "/api/docs", trust_env=False)
    assert answer.status_code == 200 and answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    return Page(answer.text)


def test_every_call_and_schema_is_shown(page):
    description = yaml.safe_load((ROOT / "protocol/openapi.yaml").read_text())
    for path, item in description["paths"].items():
        for method, call in item.items():
            if method in ("get", "put", "post", "delete", "patch"):
                assert f"call-{call['operationId']}" in page.ids, f"{method} {path} is missing"
                assert f"{method.upper()} {path}" in page.text
                assert call["summary"] in page.text
    for name in description["components"]["schemas"]:
        assert f"schema-{name}" in page.ids, f"the schema {name} is missing"


def test_its_links_lead_somewhere_and_it_needs_nobody_else(server, page):
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids, f"{link} leads nowhere"
        else:
            assert httpx.get(server.http + link, trust_env=False).status_code == 200, link
    assert {"script", "img", "iframe", "style"} & set(page.tags) == set()
    assert {"main", "nav", "header", "h1"} <= set(page.tags)
    style = httpx.get(server.http + "/api/docs.css", trust_env=False)
    assert style.headers["content-type"].startswith("text/css") and "url(" not in style.text and "@import" not in style.text


def test_it_is_usable_by_keyboard(server):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium")
        try:
            tab = browser.new_page()
            faults: list[str] = []
            # The icon is the page's, which need not be built here.
            tab.on("console", lambda message: faults.append(message.text) if message.type == "error"
                   and "icon" not in message.location["url"] else None)
            tab.goto(server.http + "/api/docs")
            tab.keyboard.press("Tab")
            assert tab.evaluate("document.activeElement.className") == "skip"
            tab.keyboard.press("Enter")
            assert tab.evaluate("document.activeElement.id") == "content"
            summary = tab.locator("article details:not([open]) > summary").first.element_handle()
            summary.focus()
            tab.keyboard.press("Enter")
            assert summary.evaluate("element => element.parentElement.open")
            assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
            assert faults == []
        finally:
            browser.close()


def test_the_cookbook_runs_as_it_stands(server, tmp_path):
    text = (ROOT / "docs/api-cookbook.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    assert len(blocks) > 8
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
        env=environment({"BASE": server.http, "HANDLE": unique("anna"), "no_proxy": "127.0.0.1"}),
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    for seen in (
        f"{bundled_problems()[0]}: ", '{"verdict":"WA"', "\n42\n", '"sync_path"', '{"status":404,"code":"not_found"',
        "RateLimit", "4bf92f3577b34da6a3ce929d0e0e4736", "\n401\n",
    ):
        assert seen.lower() in done.stdout.lower(), f"{seen!r} is not in what it prints:\n{done.stdout}"
    first, repeated = re.search(r"^first: (\S+)$", done.stdout, re.M), re.search(r"^repeated: (\S+)$", done.stdout, re.M)
    assert first.group(1) == repeated.group(1)


CLIENT = ROOT / "docs/examples/coduel_client.py"


def test_the_client_is_a_command(server, tmp_path):
    alice = Api(server).register()
    problem = bundled_problems()[0]

    def submit(source: str, password=PASSWORD):
        (tmp_path / "solution.py").write_text(source)
        return subprocess.run(
            [sys.executable, CLIENT, server.http, alice.handle, password, problem, "python", tmp_path / "solution.py"],
            capture_output=True, text=True, timeout=90, env=environment({"no_proxy": "127.0.0.1"}),
        )

    right, wrong = submit(accepted_python(problem)), submit(WRONG_PYTHON)
    assert right.returncode == 0 and right.stdout.startswith("AC\n"), right
    assert wrong.returncode == 1 and wrong.stdout.startswith("WA\n"), wrong
    refused = submit("", "not the password")
    assert refused.returncode == 1 and "401" in refused.stderr, refused


def test_the_client_is_a_module(server, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    specification = importlib.util.spec_from_file_location("coduel_client", CLIENT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    coduel = module.Coduel(server.http)
    handle = unique()
    coduel.register(handle, f"{handle}@example.org", PASSWORD)
    coduel.log_in(handle, PASSWORD)
    assert {p["id"] for p in coduel.problems(limit=3)} >= set(bundled_problems())
    first = coduel.access_token
    coduel.expires_at = 0
    assert coduel.call("GET", "/me")["handle"] == handle
    assert coduel.access_token != first, "the session was renewed"
    assert coduel.make_room()["kind"] == "pair"
    with pytest.raises(module.Problem) as refusal:
        coduel.register(handle, f"{handle}@example.org", PASSWORD)
    assert (refusal.value.status, bool(refusal.value.code)) == (409, True)


METHODS = ("get", "post", "put", "patch", "delete")


def described_bodies(description: dict):
    """Where each JSON body of a call or of its success is described, and how."""
    for path, calls in description["paths"].items():
        for method in METHODS:
            call = calls.get(method, {})
            places = {"request": call.get("requestBody", {})}
            places |= {status: a for status, a in call.get("responses", {}).items() if status.startswith("2")}
            for place, described in places.items():
                if body := described.get("content", {}).get("application/json"):
                    yield f"{method} {path} {place}", body


def test_every_body_has_an_example_that_fits():
    jsonschema = pytest.importorskip("jsonschema_rs")
    description = yaml.safe_load((ROOT / "protocol/openapi.yaml").read_text())
    seen = 0
    for where, body in described_bodies(description):
        schema = body["schema"]
        named = description["components"]["schemas"].get(schema.get("$ref", "").split("/")[-1], schema)
        examples = [body["example"]] if "example" in body else []
        examples += [one["value"] for one in body.get("examples", {}).values()] + named.get("examples", [])
        assert examples, f"{where} has no example"
        check = jsonschema.Draft202012Validator({**schema, "components": description["components"]})
        for example in examples:
            check.validate(example)
        seen += 1
    assert seen > 100
