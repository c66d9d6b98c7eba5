"""What the page tests share: people, each in a browser context of their own, and everything that went wrong there."""

import argparse
import contextlib
import os
import pathlib
import random

from playwright.sync_api import Page, expect, sync_playwright

CHROMIUM = os.environ.get("CODUEL_CHROMIUM", "/usr/bin/chromium")
ROOT = pathlib.Path(__file__).resolve().parents[2]
# Long enough for a loaded machine; every wait is for a condition and ends when it holds.
TIMEOUT_MS = int(os.environ.get("CODUEL_PAGE_TIMEOUT_MS", "30000"))

RECORD_VIOLATIONS = """
window.policyViolations = [];
document.addEventListener('securitypolicyviolation', (event) => {
  window.policyViolations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile ?? ''}:${event.lineNumber}`);
});
"""

PASTE = """(element, text) => {
  const data = new DataTransfer();
  data.setData('text/plain', text);
  element.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
}"""


def arguments(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("base", nargs="?", default=os.environ.get("BASE", "http://127.0.0.1:8080"),
                        help="where the server listens (environment: BASE)")
    parser.add_argument("--problems", type=pathlib.Path, default=ROOT / "fixtures" / "problems",
                        help="the problem packages, for their accepted Python solutions")
    parser.add_argument("--screenshots", type=pathlib.Path, help="a folder for pictures of what was seen")
    return parser.parse_args()


class Person:
    """One person at one page. Faults (console errors, exceptions, policy violations) are collected, not raised."""

    def __init__(self, browser, name: str, options: argparse.Namespace, **context):
        self.name = f"{name}{random.randrange(10_000):04d}"
        self.context = browser.new_context(**context)
        self.context.add_init_script(RECORD_VIOLATIONS)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(TIMEOUT_MS)
        self.base = options.base.rstrip("/")
        self.screenshots = options.screenshots
        self.faults: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"exception: {error}"))

    def _console(self, message) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    def adopt_name(self) -> None:
        """A guest's handle gets an ending of its own: takes the name from the bar on top."""
        name = self.page.locator(".who-name")
        expect(name).to_contain_text(self.name)
        self.name = name.evaluate("element => element.firstChild.textContent")

    def open(self, path: str = "/") -> None:
        self.page.goto(self.base + path)

    def picture(self, title: str) -> None:
        if self.screenshots:
            self.screenshots.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=self.screenshots / f"{title}.png")

    def editor(self, desk: str = ".desk-own"):
        return self.page.locator(f"{desk} .cm-content")

    def paste(self, text: str) -> None:
        """Pastes into the focused editor, as a person does who wrote elsewhere."""
        self.editor().evaluate(PASTE, text)

    def say(self, chat: str, text: str) -> None:
        box = self.page.locator(f'[data-chat="{chat}"] .chat-input')
        box.fill(text)
        box.press("Enter")
        expect(box).to_have_value("")

    def hears(self, chat: str, text: str) -> None:
        expect(self.page.locator(f'[data-chat="{chat}"] .chat-list')).to_contain_text(text)

    def check(self) -> list[str]:
        violations = self.page.evaluate("window.policyViolations")
        return [f"{self.name}: {fault}" for fault in self.faults + [f"policy: {one}" for one in violations]]


@contextlib.contextmanager
def chromium():
    """A Chromium, and the waits of `expect` set for it."""
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        try:
            yield browser
        finally:
            browser.close()


def solution(problems: pathlib.Path, problem: str) -> str:
    """The accepted Python solution that every bundled problem has."""
    folder = problems / problem / "submissions" / "accepted"
    return sorted(folder.glob("*.py"))[0].read_text()


def finish(people: list[Person], title: str) -> None:
    """Ends the test: red when anybody's page had a fault."""
    faults = [fault for person in people for fault in person.check()]
    if faults:
        raise SystemExit(f"{title}: the pages had faults\n  " + "\n  ".join(faults))
    print(f"{title}: ok")
