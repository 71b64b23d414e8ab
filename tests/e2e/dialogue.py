# SPDX-License-Identifier: MIT
"""A client that says what it is told to, also what no library would say."""
import re
import socket

from daemon import PATIENCE


class Client:
    """Lines to and from a socket."""

    def __init__(self, server, service):
        self.socket = socket.create_connection(("127.0.0.1", server.port(service)), PATIENCE)
        self.lines = self.socket.makefile("rb")
        self.service = service
        self.imap = service.startswith("imap")
        self.lines.readline()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.lines.close()
        self.socket.close()

    def send(self, text, step=None):
        data = text if isinstance(text, bytes) else text.encode()
        for at in range(0, len(data), step or len(data)):
            self.socket.sendall(data[at:at + (step or len(data))])

    def answer(self):
        """The last line of a reply: tagged, a continuation, or without a dash behind the code."""
        last = r"t |\+|\* (BYE|BAD)" if self.imap else r"\d{3} "
        while line := self.lines.readline().decode():
            if re.match(last, line):
                return line
            if literal := re.search(r"\{(\d+)\}\r\n$", line):
                self.lines.read(int(literal[1]))
        return ""

    def say(self, text, step=None):
        self.send(text + "\r\n", step)
        return self.answer()
