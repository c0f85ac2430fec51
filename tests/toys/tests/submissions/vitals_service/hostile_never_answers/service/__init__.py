# Takes every connection and says nothing.
import http.server
import time

http.server.BaseHTTPRequestHandler.handle_one_request = lambda self: time.sleep(1000)
