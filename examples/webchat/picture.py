"""Takes docs/images/webchat.png from a running web chat, in Chromium.

`make webchat` prints an address: `.venv/bin/python -m examples.webchat.picture <address>`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

FILE = Path(__file__).resolve().parents[2] / "docs" / "images" / "webchat.png"
CHROMIUM = os.environ.get("PS7_CHROMIUM") or "/usr/bin/chromium"


def main(address: str) -> None:
    """Let Ana take the balance that she is offered, and open the turn in which she arrived."""
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]) as browser,
        browser.new_page(
            viewport={"width": 1200, "height": 800},
            device_scale_factor=1.4,
            locale="pt-BR",
            timezone_id="America/Sao_Paulo",
        ) as page,
    ):
        page.goto(address)
        page.click("[data-card=ana]")
        page.click(".reply button")
        newest, arrival = page.locator("#turns > .turn").all()
        expect(newest.locator("table")).to_be_visible()
        newest.locator("summary").click()
        arrival.locator("summary").click()
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement.blur()")
        page.screenshot(path=FILE)


if __name__ == "__main__":
    main(sys.argv[1])
