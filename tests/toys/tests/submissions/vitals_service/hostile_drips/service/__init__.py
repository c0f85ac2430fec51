# Answers with one byte of a header at a time: each comes in time, the last one never.
import http.server
import time


def drip(self):
    self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        self.wfile.write(b"x")
        time.sleep(0.05)


http.server.BaseHTTPRequestHandler.handle_one_request = drip
