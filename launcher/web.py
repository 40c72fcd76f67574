"""One web process on a listening socket that the launcher shares among several."""

import argparse
import socket

import uvicorn


def main() -> None:
    parser = argparse.ArgumentParser(prog="launcher.web", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="the listening socket")
    parser.add_argument("--app", default="config.asgi:application")
    arguments = parser.parse_args()
    listening = socket.socket(fileno=arguments.fd)
    config = uvicorn.Config(
        arguments.app,
        ws="websockets-sansio",
        # config/doors takes the client's address from TRUSTED_PROXIES, for every server alike
        proxy_headers=False,
        server_header=False,
        loop="uvloop",
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=3,
        # a compressor a socket would take 300 KB each and more time than it saves
        ws_per_message_deflate=False,
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
