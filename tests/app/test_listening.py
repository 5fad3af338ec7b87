"""The socket that the product listens on."""

import socket

from chatwright.app.listening import listen


def test_its_connections_send_each_part_at_once() -> None:
    """Whatever loop serves them: those of asyncio leave that to whoever opened the socket."""
    with (
        listen("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
