"""A door that listens on this machine and answers what it was told."""

import gzip
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Keeping(ThreadingHTTPServer):
    """Answers what it was told, one after the other, the last for ever; keeps what came."""

    daemon_threads = True

    def __init__(self, answers):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.came = list(answers), []

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = gzip.decompress(self.rfile.read(int(self.headers["content-length"])))
        self.server.came.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        status, document, *headers = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        encoded = json.dumps(document).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def log_message(self, *_):
        """Be quiet."""
