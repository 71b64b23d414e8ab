# SPDX-License-Identifier: MIT
"""A message of 100 MB costs the server no more memory than one of 100 KB, whatever is done with it.

Measured is RssAnon, which the kernel counts: the process's own pages, without those of mapped files, that the
kernel takes back as it likes. It is looked at every millisecond while a command runs."""
import base64
import os
import re
import socket
import threading
import time
import unittest

from crowd import Process
from daemon import PASSWORD, USER, Daemon

MEGABYTES = int(os.environ.get("MOX_LARGE_MB", "24"))
SANITIZED = "SANITIZED" in os.environ  # their own memory is not the server's
# What a command on a large message may take beyond what the same took for a small one: also what the junk filter
# reads of the message meanwhile, a megabyte of its text.
MORE_KIB = 2048
# What the tree of a message with the largest number of parts may take, while and after it is worked on.
PIECES_KIB = 32 * 1024
PIECE = 1 << 20

HEAD = b"From: <a@remote.example>\r\nTo: <mox@localhost>\r\nSubject: large\r\nMIME-Version: 1.0\r\n"


# -- messages: each a function that yields pieces of about `size` bytes in all --

def attachment(size):
    line = base64.b64encode(bytes(range(57))) + b"\r\n"
    yield (HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
           b"See the file\r\n--b\r\nContent-Type: application/octet-stream\r\n"
           b"Content-Transfer-Encoding: base64\r\n\r\n")
    yield from repeat(line, size)
    yield b"\r\n--b--\r\n"


def encoded_text(size):
    yield HEAD + b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    yield from repeat(base64.b64encode("Grüße aus dem Süden, und so weiter und so ".encode()) + b"\r\n", size)


def quoted_html(size):
    yield HEAD + b"Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    yield from repeat(b"<p class=3D\"x\">Gr=FC=DFe aus dem <b>S=FCden</b>, und so=\r\n weiter</p>\r\n", size)


def text(size):
    yield HEAD + b"\r\n"
    yield from repeat(b"The quick brown fox jumps over the lazy dog, and the dog sleeps on\r\n", size)


def one_line(size):
    yield HEAD + b"\r\n"
    yield from repeat(b"x" * 64, size)
    yield b"\r\n"


def one_line_encoded(size):
    yield HEAD + b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    yield from repeat(base64.b64encode(b"y" * 48), size)
    yield b"\r\n"


def nested(size):
    """A whole message within a message."""
    yield HEAD + b"Content-Type: message/rfc822\r\n\r\n"
    yield from attachment(size)


# -- messages of many pieces, `count` of them --

def many_headers(count):
    lines = b"".join(b"X-Header-%d: some value\r\n" % n for n in range(count))
    return [lines, HEAD + b"\r\nbody\r\n"]


def many_parts(count):
    parts = b"".join(b"--b\r\nContent-Type: text/plain; name=part%d\r\n\r\npart %d\r\n" % (n, n)
                     for n in range(count))
    return [HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n", parts, b"--b--\r\n"]


def deep_parts(count):
    parts = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
                     for n in range(count))
    return [HEAD, parts, b"Content-Type: text/plain\r\n\r\ndeep\r\n"]


def repeat(line, size):
    block = line * (PIECE // len(line))
    for _ in range(size // len(block)):
        yield block
    yield line * (size % len(block) // len(line))


# -- clients --

class Peak:
    """The highest RssAnon while the block runs, in KiB."""

    def __init__(self, process):
        self.process, self.over = process, False

    def look(self):
        while not self.over:
            self.highest = max(self.highest, self.process.anonymous())
            time.sleep(0.001)

    def __enter__(self):
        self.highest = self.process.anonymous()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.over = True
        self.thread.join()


class Line:
    """A connection of lines and bytes; of what is long only the length is kept."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), 120)
        self.file = self.sock.makefile("rb", 1 << 18)

    def close(self):
        self.file.close()
        self.sock.close()

    def smtp(self, command):
        self.sock.sendall(command)
        return self.smtp_reply()

    def smtp_reply(self):
        while (line := self.file.readline())[3:4] == b"-":
            pass
        if line[:1] not in b"23":
            raise AssertionError(line)
        return line

    def imap(self, command):
        """Sends it; the untagged lines, and how many bytes the literals had."""
        self.sock.sendall(b"t " + command + b"\r\n")
        return self.imap_result(command)

    def imap_result(self, command):
        lines, literals = [], 0
        while True:
            line = self.file.readline()
            if line.startswith(b"t "):
                if not line.startswith(b"t OK"):
                    raise AssertionError(f"{command}: {line}")
                return lines, literals
            lines.append(line)
            if literal := re.search(rb"\{(\d+)\}\r\n$", line):
                size = int(literal[1])
                literals += size
                while size > 0:
                    size -= len(self.file.read(min(size, 1 << 18)))


def by_data(server, message):
    smtp = Line(server.port("smtp"))
    smtp.smtp_reply()
    for command in b"EHLO a.example", b"MAIL FROM:<a@remote.example>", b"RCPT TO:<mox@localhost>", b"DATA":
        smtp.smtp(command + b"\r\n")
    for piece in message:
        smtp.sock.sendall(piece)
    smtp.smtp(b".\r\n")
    smtp.close()


def by_chunks(server, message):
    smtp = Line(server.port("smtp"))
    smtp.smtp_reply()
    for command in b"EHLO a.example", b"MAIL FROM:<a@remote.example>", b"RCPT TO:<mox@localhost>":
        smtp.smtp(command + b"\r\n")
    for piece in message:
        smtp.smtp(b"BDAT %d\r\n" % len(piece) + piece)
    smtp.smtp(b"BDAT 0 LAST\r\n")
    smtp.close()


def by_append(imap, message):
    pieces = list(message)
    imap.sock.sendall(b"t APPEND INBOX {%d+}\r\n" % sum(map(len, pieces)))
    for piece in pieces:
        imap.sock.sendall(piece)
    imap.sock.sendall(b"\r\n")
    imap.imap_result("APPEND")


COMMANDS = [b"FETCH %d (UID RFC822.SIZE ENVELOPE BODYSTRUCTURE)", b"FETCH %d BODY.PEEK[]", b"FETCH %d BODY.PEEK[TEXT]",
            b"FETCH %d BODY.PEEK[1]", b"FETCH %d BODY.PEEK[2]", b"FETCH %d BODY.PEEK[1.MIME]",
            b"FETCH %d BODY.PEEK[HEADER]", b"FETCH %d BODY.PEEK[HEADER.FIELDS (SUBJECT)]",
            b"FETCH %d BODY.PEEK[]<50000.20000>", b"SEARCH %d TEXT nowhere", b"SEARCH %d BODY nowhere",
            b"SEARCH %d HEADER X-None nowhere", b"COPY %d Archive"]


class Large(unittest.TestCase):
    def measure(self, server, imap, process, kind, size):
        """The peak of each operation, by its name."""
        peaks = {}

        def watch(name, what, *args):
            with Peak(process) as peak:
                what(*args)
            peaks[name] = peak.highest

        def command(text):
            try:
                imap.imap(text)
            except AssertionError as problem:
                if b"no such section" not in str(problem).encode():
                    raise

        watch("DATA", by_data, server, kind(size))
        watch("BDAT", by_chunks, server, kind(size))
        watch("APPEND", by_append, imap, kind(size))
        imap.imap(b"NOOP")
        lines, _ = imap.imap(b"SELECT INBOX")
        count = int(next(line.split()[1] for line in lines if line.endswith(b"EXISTS\r\n")))
        for text in COMMANDS:
            watch(text.decode(), command, text % count)
        return peaks

    def test_no_operation_takes_more_memory_for_a_large_message_than_for_a_small_one(self):
        with Daemon("-loglevel", "error") as server:
            process = Process(server.process.pid)
            imap = Line(server.port("imap"))
            imap.file.readline()
            imap.imap(f"LOGIN {USER} {PASSWORD}".encode())
            small = {}
            for kind in KINDS:  # twice: the first warms up
                for _ in range(2):
                    peaks = self.measure(server, imap, process, kind, 200000)
                for name, peak in peaks.items():
                    small[name] = max(small.get(name, 0), peak)
            print(f"200 KB: {max(small.values())} KiB in all")
            most = {}
            for kind in KINDS:
                peaks = self.measure(server, imap, process, kind, MEGABYTES << 20)
                for name, peak in peaks.items():
                    more = peak - small[name]
                    most[kind.__name__] = max(most.get(kind.__name__, (0, "")), (more, name))
                    if not SANITIZED:
                        self.assertLess(more, MORE_KIB, f"{kind.__name__}, {name}")
            print(f"{MEGABYTES} MB: at most so many KiB more: {most}")
            imap.close()


    def test_messages_of_very_many_pieces_cost_a_bounded_amount(self):
        with Daemon("-loglevel", "error") as server:
            process = Process(server.process.pid)
            imap = Line(server.port("imap"))
            imap.file.readline()
            imap.imap(f"LOGIN {USER} {PASSWORD}".encode())
            self.measure(server, imap, process, text, 200000)
            before = process.anonymous()
            for kind, count in (many_headers, 100000), (many_parts, 10000), (deep_parts, 10000):
                peaks = self.measure(server, imap, process, kind, count)
                more = max(peaks.values()) - before
                print(f"{count} of {kind.__name__}: {more} KiB more")
                if not SANITIZED:
                    self.assertLess(more, PIECES_KIB, kind.__name__)
            imap.close()


KINDS = [attachment, encoded_text, quoted_html, text, one_line, one_line_encoded, nested]

if __name__ == "__main__":
    unittest.main()
