"""The recovery of the README, run as it stands there: a refused writer goes on with a new Y.Doc."""

from __future__ import annotations

import json
import os
import re
import subprocess

from harness import wire
from harness.api import Api
from harness.server import ROOT

HEAD = """
const Y = require('yjs')
const { WebsocketProvider } = require('y-websocket')
"""

# Writes what the server refuses (an update over 1 MiB), keeps typing, recovers, and goes on.
STORY = """
const [url, name, token] = process.argv.slice(2)
const say = (what, more = {}) => console.log(JSON.stringify({ what, ...more }))
const first = open(url, name, { token }, (code, oldDoc, next) => {
  const text = next.doc.getMap('files').get('main.py')
  say('reset', { code, kept: oldDoc.getMap('files').get('main.py').toString().length, found: text.toString() })
  text.insert(text.length, 'written after the recovery')
  next.provider.on('update', () => {})
  const timer = setInterval(() => {
    say('state', { text: next.doc.getMap('files').get('main.py').toString() })
  }, 100)
  setTimeout(() => { clearInterval(timer); process.exit(0) }, 1500)
})
first.provider.once('synced', () => {
  const text = first.doc.getMap('files').get('main.py')
  text.insert(0, 'x'.repeat((1 << 20) + 10))
  text.insert(0, 'typed after the refusal')
})
setTimeout(() => { say('timeout'); process.exit(1) }, 20000)
"""


def recovery_code() -> str:
    """The JavaScript of the README's section."""
    section = (ROOT / "README.md").read_text().split("### When a write is refused", 1)[1]
    return re.search(r"```js\n(.*?)```", section, re.S).group(1)


def test_the_readme_s_recovery_works(server, tmp_path):
    api = Api(server)
    alice, bob = api.register(), api.register()
    room = alice.make_pair_room()["id"]
    alice.invite(room, bob)
    script = tmp_path / "recovery.cjs"
    script.write_text(HEAD + recovery_code() + STORY)
    done = subprocess.run(
        ["node", str(script), server.ws + "/sync", f"{room}/main", alice.token],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"NODE_PATH": "/usr/share/nodejs"},
    )
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    resets = [entry for entry in said if entry["what"] == "reset"]
    assert len(resets) == 1 and resets[0]["code"] == "too_large", said
    assert resets[0]["kept"] > 1 << 20, "what was typed is still in the old document"
    assert resets[0]["found"] == "", "nothing of a refused write is in the room"
    # An honest client has exactly what was written after the recovery.
    with wire.room_socket(server, room, "main", bob.token) as socket:
        assert wire.document_json(socket.wait_synced()) == "written after the recovery"
