# Answers that are no HTTP, or a status that no client knows.
import http.server

LINES = (b"HTTP/1.1 99999999999999999999 OK", b"HTTP/9.9 200", b"\xff\xfe\0\0", b"HTTP/1.1 -1 \r\nContent-Length: -5", b"")


def odd(self, state=[0]):
    self.rfile.readline(65537)
    state[0] += 1
    self.wfile.write(LINES[state[0] % len(LINES)] + b"\r\n" + b"X: y\r\n" * 200 + b"\r\n[" * 100)


http.server.BaseHTTPRequestHandler.handle_one_request = odd
