#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""httpd.py PORT_FILE GET_FILE PUT_FILE [ADDRESS]: serve GET_FILE on any GET, store any PUT's body in PUT_FILE.

Listens on ADDRESS (127.0.0.1) at a free port, whose number goes to PORT_FILE.
"""
import http.server
import os
import shutil
import sys

CHUNK = 1 << 20


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_GET(self):
        with open(get_file, "rb") as source:
            self.send_response(200)
            self.send_header("Content-Length", str(os.fstat(source.fileno()).st_size))
            self.end_headers()
            try:
                shutil.copyfileobj(source, self.wfile, CHUNK)
            except ConnectionError:
                pass  # a client may leave in the middle

    def do_PUT(self):
        left = int(self.headers["Content-Length"])
        with open(put_file, "wb") as sink:
            while left:
                data = self.rfile.read(min(left, CHUNK))
                if not data:
                    self.send_error(400, "body ends early")
                    return
                sink.write(data)
                left -= len(data)
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format, *args):
        pass


port_file, get_file, put_file = sys.argv[1:4]
address = sys.argv[4] if len(sys.argv) > 4 else "127.0.0.1"
server = http.server.ThreadingHTTPServer((address, 0), Handler)
with open(port_file + ".tmp", "w") as f:
    f.write(f"{server.server_address[1]}\n")
os.rename(port_file + ".tmp", port_file)
server.serve_forever()
