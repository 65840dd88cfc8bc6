"""A real Chromium without a window, driven by chromedriver over its HTTP protocol (W3C WebDriver)."""

import base64
import json
import subprocess
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from tests.integration.rigs.wait import eventually

from contribd.simulation.demo.embedded_broker import free_port

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""What the protocol calls an element."""


class Browser:
    """One Chromium with one page, as long as the ``with`` block runs."""

    def __init__(self, folder: Path) -> None:
        """``folder``: where its log and profile go."""
        self._port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._session = ""

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        command = ["chromedriver", f"--port={self._port}", f"--log-path={self._folder / 'chromedriver.log'}"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            eventually(self._is_up, within=60, every=0.1, what="chromedriver is up")
            self._open()
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        return self

    def _open(self) -> None:
        arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            f"--user-data-dir={self._folder / 'profile'}",
        ]
        wanted = {
            "alwaysMatch": {
                "goog:chromeOptions": {"args": arguments},
                "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            }
        }
        self._session = self._ask("POST", "/session", {"capabilities": wanted})["sessionId"]

    def __exit__(self, *_: object) -> None:
        with suppress(OSError, RuntimeError):
            self._of_page("DELETE", "")
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)

    # What a person does

    def go(self, url: str) -> None:
        """Opens a page; returns once it is loaded."""
        self._of_page("POST", "/url", {"url": url})

    def size(self, width: int, height: int, *, dark: bool = False) -> None:
        """How large the page is shown, and whether the person prefers dark colours."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.devtools("Emulation.setDeviceMetricsOverride", **metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.devtools("Emulation.setEmulatedMedia", features=[scheme])

    def type(self, selector: str, text: str) -> None:
        """Types into a field, then presses Enter where the text ends with it."""
        found = self._of_page("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]
        self._of_page("POST", f"/element/{found}/clear", {})
        self._of_page("POST", f"/element/{found}/value", {"text": text.replace("\n", "\ue007")})

    def click(self, selector: str) -> None:
        """Clicks on an element."""
        found = self._of_page("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]
        self._of_page("POST", f"/element/{found}/click", {})

    # What a person sees

    @property
    def title(self) -> str:
        """Of the page."""
        return str(self._of_page("GET", "/title"))

    def text(self, selector: str) -> str:
        """What is written in an element, as it is shown; empty where there is none, or it is hidden."""
        script = "const e = document.querySelector(arguments[0]); return e?.checkVisibility() ? e.innerText : ''"
        return str(self.run(script, selector))

    def run(self, script: str, *arguments: object) -> Any:
        """What a script of the test's says of the page."""
        return self._of_page("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def screenshot(self, file: Path, *, whole: bool = True) -> Path:
        """The whole page, or what of it is in view, as a PNG."""
        height = int(self.run(f"return {'document.documentElement.scrollHeight' if whole else 'window.innerHeight'}"))
        width = int(self.run("return document.documentElement.clientWidth"))
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = self.devtools("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        file.write_bytes(base64.b64decode(shot["data"]))
        return file

    def complaints(self) -> list[str]:
        """What the page's console says since it was asked last: errors of scripts, refused loads."""
        entries = self._of_page("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]

    def requests(self) -> list[str]:
        """The addresses that the browser asked for since this was asked last."""
        entries = self._of_page("POST", "/se/log", {"type": "performance"})
        messages = [json.loads(entry["message"])["message"] for entry in entries]
        urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return [url for url in urls if url.startswith(("http", "ws"))]

    def devtools(self, command: str, **parameters: object) -> Any:
        """A command of the DevTools protocol."""
        return self._of_page("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    # The protocol

    def _is_up(self) -> bool:
        with suppress(OSError):
            return bool(self._ask("GET", "/status")["ready"])
        return False

    def _of_page(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._ask(method, f"/session/{self._session}{path}", body)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - chromedriver's own address
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.read().decode()[:2000]}") from error
