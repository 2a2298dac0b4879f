"""tls_proxy.py CERTIFICATE PORT: speaks TLS, and passes on what it hears to a port of this machine.

Prints "port N". For tests of model servers' certificates.
"""
import socket
import ssl
import sys
import threading


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(client, context, port):
    try:
        with context.wrap_socket(client, server_side=True) as inside, \
                socket.create_connection(("127.0.0.1", port)) as outside:
            threading.Thread(target=pump, args=(outside, inside), daemon=True).start()
            pump(inside, outside)
    except OSError:
        pass


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1])
    listener = socket.create_server(("127.0.0.1", 0))
    print("port", listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, context, int(sys.argv[2])), daemon=True).start()


main()
