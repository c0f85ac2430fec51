# Good work until the first question; then the service ends with status 0.
import http.server
import os

respond = http.server.BaseHTTPRequestHandler.parse_request


def parse_request(self):
    if self.raw_requestline.startswith(b"GET"):
        os._exit(0)
    return respond(self)


http.server.BaseHTTPRequestHandler.parse_request = parse_request
