# An answer in chunks, one of which claims to be -1 long: some clients then read for ever.
import socket
import sys

server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])))
server.listen(50)
while True:
    link, _ = server.accept()
    if link.recv(65536):
        try:
            link.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n")
            for _ in range(400):
                link.sendall(b"x" * 2**20)
        except OSError:
            pass
    link.close()
