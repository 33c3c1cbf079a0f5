"""A QR code read off the screen, as a camera would: with the reader of the library that drew it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.e2e.person import Person

_WEB = Path(__file__).parents[2] / "web"

_MODULES = """
(svg) => {
  const size = svg.viewBox.baseVal.width;
  const rows = Array.from({ length: size }, () => Array(size).fill(0));
  const path = svg.querySelector('path').getAttribute('d');
  for (const [, x, y] of path.matchAll(/M(\\d+) (\\d+)h/g)) rows[y][x] = 1;
  return rows;
}
"""

_READER = """
import { readFileSync } from 'node:fs';
import decodeQR from 'qr/decode.js';
const rows = JSON.parse(readFileSync(0, 'utf8'));
const scale = 6;
const size = rows.length * scale;
const data = new Uint8ClampedArray(size * size * 4).fill(255);
for (let y = 0; y < size; y += 1) {
  for (let x = 0; x < size; x += 1) {
    if (!rows[Math.floor(y / scale)][Math.floor(x / scale)]) continue;
    data.fill(0, (y * size + x) * 4, (y * size + x) * 4 + 3);
  }
}
process.stdout.write(decodeQR({ width: size, height: size, data }));
"""


def read(person: Person, name: str | re.Pattern[str]) -> str:
    """The text of the QR code with this spoken name."""
    rows = person.page.get_by_role("img", name=name).evaluate(_MODULES)
    return subprocess.run(
        ["node", "--input-type=module", "-e", _READER],
        input=json.dumps(rows),
        capture_output=True,
        text=True,
        check=True,
        cwd=_WEB,
    ).stdout
