#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
usage: archive_proxy.py ENDPOINT HOURS-FILE LOG

An object store in front of another one whose classes GLACIER and DEEP_ARCHIVE are archives, as AWS documents them: what lies there can neither
be read nor copied until RestoreObject was asked for and its time has passed, and only until the copy expires. The time is what stands in
HOURS-FILE, in hours. Objects of class INTELLIGENT_TIERING below a folder ARCHIVE_ACCESS or DEEP_ARCHIVE_ACCESS lie in that tier; they are
restored without Days, for good. Everything else is passed on. Writes the port that it listens on to stdout, and a line to LOG for each
RestoreObject: path, tier, days.
"""
import email.utils
import http.client
import http.server
import re
import sys
import threading
import urllib.parse

ENDPOINT = urllib.parse.urlsplit(sys.argv[1])
HOURS = {"GLACIER": {"Bulk": 12, "Standard": 5, "Expedited": 1}, "DEEP_ARCHIVE": {"Bulk": 48, "Standard": 12}}
HOURS["ARCHIVE_ACCESS"], HOURS["DEEP_ARCHIVE_ACCESS"] = HOURS["GLACIER"], HOURS["DEEP_ARCHIVE"]
EPOCH = 1767225600
lock = threading.Lock()
classes = {}    # path -> class, as seen last
restores = {}   # path -> (ready, gone), in hours


def now():
    with open(sys.argv[2], encoding="ascii") as f:
        return float(f.read())


def kind_of(path, storage_class):
    tier = re.search(r"/((?:DEEP_)?ARCHIVE_ACCESS)/", path)
    return tier.group(1) if tier and storage_class == "INTELLIGENT_TIERING" else storage_class


def tiered(path):
    return (classes.get(path) or "").endswith("_ACCESS")


def asleep(path):
    ready, gone = restores.get(path, (None, 0))
    return classes.get(path) in HOURS and (ready is None or not ready <= now() < gone)


def restore_header(path):
    if classes.get(path) not in HOURS or path not in restores:
        return None
    ready, gone = restores[path]
    if now() < ready:
        return 'ongoing-request="true"'
    if now() >= gone or tiered(path):
        return None
    return 'ongoing-request="false", expiry-date="%s"' % email.utils.formatdate(EPOCH + gone * 3600, usegmt=True)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def error(self, status, code):
        self.answer(status, b"<Error><Code>%s</Code><Message>%s</Message></Error>" % (code, code))

    def restore(self, path, body):
        tier = re.search(rb"<Tier>(\w+)</Tier>", body).group(1).decode()
        days = re.search(rb"<Days>(\d+)</Days>", body)
        days = int(days.group(1)) if days else 0
        with lock:
            kind = HOURS.get(classes.get(path))
            with open(sys.argv[3], "a", encoding="utf-8") as f:
                f.write("%s %s %d\n" % (path, tier, days))
            if kind is None or tier not in kind:
                return self.error(403, b"InvalidObjectState")
            if (days == 0) != tiered(path):
                return self.error(400, b"MalformedXML")
            if path in restores and now() < restores[path][0]:
                return self.error(409, b"RestoreAlreadyInProgress")
            if not asleep(path):
                restores[path] = (restores[path][0], now() + 24 * days)
                return self.answer(200)
            restores[path] = (now() + kind[tier], float("inf") if tiered(path) else now() + kind[tier] + 24 * days)
        return self.answer(202)

    def forward(self, body):
        c = http.client.HTTPConnection(ENDPOINT.hostname, ENDPOINT.port)
        c.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            c.putheader(name, value)
        c.endheaders(body or None)
        r = c.getresponse()
        return r, r.read()

    def handle_all(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        path, _, query = self.path.partition("?")
        if self.command == "POST" and query.split("=")[0] == "restore":
            return self.restore(path, body)
        source = self.headers.get("x-amz-copy-source")
        if source and asleep("/" + source.lstrip("/").partition("?")[0]):
            return self.error(403, b"InvalidObjectState")
        r, data = self.forward(body)
        headers = [(n, v) for n, v in r.getheaders() if n.lower() not in ("content-length", "transfer-encoding", "connection")]
        if not query and r.status < 300:
            if self.command in ("GET", "HEAD"):
                classes[path] = kind_of(path, r.headers.get("x-amz-storage-class", "STANDARD"))
                if tiered(path) and asleep(path):
                    headers.append(("x-amz-archive-status", classes[path]))
                if self.command == "GET" and asleep(path):
                    return self.error(403, b"InvalidObjectState")
                if restore_header(path):
                    headers.append(("x-amz-restore", restore_header(path)))
            elif self.command in ("PUT", "DELETE"):
                classes.pop(path, None)
                restores.pop(path, None)
        if self.command == "HEAD":
            self.send_response_only(r.status)
            for name, value in headers + [("Content-Length", r.headers.get("content-length", "0"))]:
                self.send_header(name, value)
            return self.end_headers()
        return self.answer(r.status, data, headers)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_all


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
