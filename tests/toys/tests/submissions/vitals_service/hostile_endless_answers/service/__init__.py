# Every answer begins well and has no end.
import http.server


def flood(self):
    self.raw_requestline = self.rfile.readline(65537)
    self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"value": 100.0, "more": "')
    while True:
        self.wfile.write(b"x" * 2**16)


http.server.BaseHTTPRequestHandler.handle_one_request = flood
