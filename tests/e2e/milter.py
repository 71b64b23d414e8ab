# SPDX-License-Identifier: MIT
"""As a mail server, asks a milter about a message: what a filter of Sendmail's protocol adds to it."""
import socket
import struct
import time

VERSION, ACTIONS = 6, 0x1FF
HEADER_LEADING_SPACE = 0x100000  # values with what stands behind the colon
# Steps that the filter need not answer, if it says so.
NO_REPLY = {b"C": 0x1000, b"H": 0x2000, b"M": 0x4000, b"R": 0x8000, b"L": 0x80, b"N": 0x40000,
            b"B": 0x80000}


class Milter:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        deadline = time.monotonic() + 60
        while self.socket.connect_ex(path) != 0:  # it has a name before it listens
            assert time.monotonic() < deadline, "the milter does not listen"
            time.sleep(0.02)
        self.send(b"O", struct.pack(">III", VERSION, ACTIONS, HEADER_LEADING_SPACE))
        command, data = self.reply()
        assert command == b"O", command
        self.options = struct.unpack(">III", data[:12])[2]

    def send(self, command, data=b""):
        self.socket.sendall(struct.pack(">I", len(data) + 1) + command + data)

    def exactly(self, count):
        out = b""
        while len(out) < count:
            piece = self.socket.recv(count - len(out))
            assert piece, "the milter hung up"
            out += piece
        return out

    def reply(self):
        data = self.exactly(struct.unpack(">I", self.exactly(4))[0])
        return data[:1], data[1:]

    def step(self, command, data=b""):
        self.send(command, data)
        if not self.options & NO_REPLY[command]:
            answer = self.reply()
            assert answer[0] == b"c", (command, answer)

    def added(self, sender, message):
        """The fields, with CRLF, that the filter puts in front of the message."""
        self.step(b"C", b"localhost\0004" + struct.pack(">H", 25) + b"127.0.0.1\0")
        self.step(b"H", b"localhost\0")
        self.step(b"M", b"<%s>\0" % sender)
        self.step(b"R", b"<someone@example.net>\0")
        head, body = message.split(b"\r\n\r\n", 1)
        for field in head.replace(b"\r\n\t", b"\n\t").replace(b"\r\n ", b"\n ").split(b"\r\n"):
            name, value = field.split(b":", 1)
            self.step(b"L", name + b"\0" + value + b"\0")
        self.step(b"N")
        self.step(b"B", body)
        self.send(b"E")
        fields = b""
        while True:
            command, data = self.reply()
            if command not in (b"h", b"i"):
                return fields
            name, value = data[4 if command == b"i" else 0:].split(b"\0")[:2]
            fields += name + b":" + value.replace(b"\n", b"\r\n") + b"\r\n"

    def close(self):
        self.send(b"Q")
        self.socket.close()
