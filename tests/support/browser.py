# SPDX-License-Identifier: GPL-3.0-or-later
"""A browser for tests: headless Chromium, driven by the DevTools protocol over pipes.

with Browser() as b: b.open(URL); b.click("folders"); b.text(); b.errors; b.shot("page.png", width)

Every console message of level error, every failed load and every exception of a page is kept in `errors`.
"""
import base64
import json
import os
import subprocess
import tempfile


class Browser:
    def __init__(self, width=1280, height=900):
        self.errors, self.next_id, self.buffer, self.events = [], 0, b"", []
        # what is killed may leave children that still write there
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_read, self.write = os.pipe()
        self.read, from_write = os.pipe()

        def fds():  # what Chromium reads is 3, what it writes 4
            a, b = os.dup(to_read), os.dup(from_write)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage", "--no-proxy-server",
             "--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={self.folder.name}", "about:blank"],
            preexec_fn=fds, pass_fds=(3, 4), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(from_write)
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        self.resize(width, height)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.session = None
            self.call("Browser.close")
            self.process.wait(10)
        except (RuntimeError, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def message(self):
        while b"\0" not in self.buffer:
            piece = os.read(self.read, 65536)
            if not piece:
                raise RuntimeError("the browser ended")
            self.buffer += piece
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def note(self, m):
        p = m.get("params", {})
        if m["method"] == "Log.entryAdded" and p["entry"]["level"] == "error" and "favicon" not in p["entry"].get("url", ""):
            self.errors.append(p["entry"]["text"])
        if m["method"] == "Runtime.exceptionThrown":
            self.errors.append(p["exceptionDetails"]["text"])
        if m["method"] == "Runtime.consoleAPICalled" and p["type"] == "error":
            self.errors.append(str(p["args"]))
        self.events.append(m["method"])

    def call(self, method, **params):
        self.next_id += 1
        m = {"id": self.next_id, "method": method, "params": params}
        if self.session:
            m["sessionId"] = self.session
        os.write(self.write, json.dumps(m).encode() + b"\0")
        while True:
            m = self.message()
            if "method" in m:
                self.note(m)
            elif m["id"] == self.next_id:
                if "error" in m:
                    raise RuntimeError(f"{method}: {m['error']}")
                return m["result"]

    def loaded(self):
        while "Page.loadEventFired" not in self.events:
            m = self.message()
            if "method" in m:
                self.note(m)

    def open(self, url):
        self.events.clear()
        failed = self.call("Page.navigate", url=url).get("errorText")
        if failed:
            raise RuntimeError(f"{url}: {failed}")
        self.loaded()

    def ask(self, expression):
        r = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in r:
            raise RuntimeError(r["exceptionDetails"]["exception"]["description"])
        return r["result"].get("value")

    def click(self, text):
        """Follow the link of that text."""
        self.events.clear()
        if not self.ask("(() => { const a = [...document.links].find(a => a.textContent === " + json.dumps(text) +
                        "); if (a) a.click(); return !!a })()"):
            raise RuntimeError(f"{self.url()} has no link '{text}'")
        self.loaded()

    def url(self):
        return self.ask("location.href")

    def text(self):
        return self.ask("document.body.innerText")

    def resize(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)

    def overflow(self):
        """Elements that reach beyond the page's width, but for those within a box that scrolls."""
        return self.ask("""[...document.querySelectorAll("body *")].filter(e => !e.closest(".scroll") && !e.closest("svg") &&
            e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.tagName + "." + e.className)""")

    def shot(self, path, width, height=0):
        """A picture of the whole page at that width."""
        self.resize(width, 900)
        height = height or int(self.ask("document.documentElement.scrollHeight"))
        self.resize(width, height)
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))
