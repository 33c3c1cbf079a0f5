"""Takes the picture of the README: `python -m tests.e2e.picture`. Real product, drawn people.

Not a test. The cameras are canvases, because the fake camera of Chromium is a green disc.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.e2e.conftest import launch
from tests.e2e.person import Person
from tests.e2e.product import Product

TARGET = Path(__file__).parents[2] / "docs" / "images" / "meeting.png"

# name, room, wall, hair, skin, clothes
PEOPLE = (
    ("Hanna Vogel", "#8fa3ad", "#c9d3d3", "#5b3a29", "#f0c3a0", "#3d5a73"),
    ("Jonas Weber", "#6d7f6a", "#b9c4ac", "#8a4b2a", "#eebd98", "#24344d"),
    ("Aylin Demir", "#8b7a6b", "#d6c8b8", "#221c1f", "#d9a37c", "#2f6b55"),
    ("Ruth Adeyemi", "#59506b", "#a9a0b8", "#2a1e1a", "#7a4a31", "#b07a2a"),
)

_CAMERA_SCRIPT = """
(() => {
  const [room, wall, hair, skin, clothes] = %COLOURS%;
  const devices = navigator.mediaDevices;
  const original = devices.getUserMedia.bind(devices);
  const paint = (canvas) => {
    const c = canvas.getContext('2d');
    const draw = () => {
      const sway = Math.sin(performance.now() / 900) * 6;
      const light = c.createLinearGradient(0, 0, 1280, 720);
      light.addColorStop(0, wall);
      light.addColorStop(1, room);
      c.fillStyle = light;
      c.fillRect(0, 0, 1280, 720);
      c.fillStyle = 'rgb(255 255 255 / .18)';
      c.fillRect(880, 70, 260, 300);
      const oval = (x, y, w, h, colour) => {
        c.fillStyle = colour;
        c.beginPath();
        c.ellipse(x + sway, y, w, h, 0, 0, 7);
        c.fill();
      };
      oval(640, 330, 172, 205, hair);
      oval(640, 760, 330, 270, clothes);
      oval(640, 520, 62, 90, skin);
      oval(640, 355, 128, 165, skin);
      oval(640, 215, 135, 70, hair);
      for (const x of [590, 690]) oval(x, 350, 11, 13, '#2b2320');
      c.strokeStyle = '#8d4a3c';
      c.lineWidth = 8;
      c.beginPath();
      c.arc(640 + sway, 415, 44, 0.35, Math.PI - 0.35);
      c.stroke();
      requestAnimationFrame(draw);
    };
    draw();
  };
  devices.getUserMedia = async (constraints) => {
    const stream = await original(constraints);
    const [camera] = stream.getVideoTracks();
    if (!camera) return stream;
    const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 720 });
    paint(canvas);
    const [track] = canvas.captureStream(15).getVideoTracks();
    track.getSettings = () => camera.getSettings();
    stream.removeTrack(camera);
    stream.addTrack(track);
    return stream;
  };
})();
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        product = Product(Path(folder) / "data")
        product.start()
        browser = launch(playwright)
        people = []
        for index, (name, *colours) in enumerate(PEOPLE):
            person = Person(browser, name, tone=300.0 + 100 * index)
            person.context.add_init_script(_CAMERA_SCRIPT.replace("%COLOURS%", str(colours)))
            people.append(person)
        host, *guests = people
        assert product.operator_link is not None
        host.become_operator(product.operator_link)
        link = host.start_room()
        host.join()
        for guest in guests:
            guest.join(link)
        for guest in guests[1:]:
            guest.press("Mute", exact=True)
        host.expect_moving(*(guest.name for guest in guests))
        host.press("People")
        host.page.mouse.move(5, 5)
        host.page.wait_for_timeout(4_000)
        TARGET.parent.mkdir(exist_ok=True)
        host.page.screenshot(path=str(TARGET))
        for person in people:
            person.close()
        browser.close()
        product.close()


if __name__ == "__main__":
    main()
