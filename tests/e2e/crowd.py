# SPDX-License-Identifier: MIT
"""Thousands of clients in one thread: each a generator that yields what it waits for.

    def client(c):
        yield from c.line(b"* OK")          # a line that begins so
        c.send(b"a LOGIN mox@localhost moxmoxmox\r\n")
        yield from c.line(b"a OK")

`Crowd.run()` serves them until all have returned, or until a condition holds. What goes wrong in a client, the
server's hanging up included, ends it and is in its `problem`.
"""
import contextlib
import heapq
import itertools
import os
import resource
import selectors
import socket
import time

CHUNK = 65536


class Closed(Exception):
    """The server has closed, or reset, the connection."""


class Client:
    def __init__(self, crowd, port, script, receive_buffer=None):
        self.crowd, self.port = crowd, port
        self.input, self.received, self.closed = bytearray(), 0, False
        self.done, self.problem, self.value = False, None, None
        self.reading = True
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setblocking(False)
        self.script = script(self)

    # -- for scripts; those that wait are used with `yield from` --

    def send(self, data):
        """Short data, that a socket takes at once."""
        with contextlib.suppress(OSError):  # the reader sees the end
            self.sock.send(data)

    def line(self, *begins):
        """The next line that begins with one of these; untagged IMAP and continued SMTP lines before it are
        skipped."""
        while True:
            at = self.input.find(b"\n")
            while at < 0:
                if self.closed:
                    raise Closed
                yield
                at = self.input.find(b"\n")
            line = bytes(self.input[:at + 1])
            del self.input[:at + 1]
            if line.startswith(begins):
                return line
            if not (line.startswith(b"* ") or line[3:4] == b"-"):
                raise AssertionError(f"expected {begins}, got {line[:200]}")

    def until(self, end):
        """What comes up to and with `end`, of which only the last bytes are kept: how many they were."""
        count = 0
        while True:
            at = self.input.find(end)
            if at >= 0:
                del self.input[:at + len(end)]
                return count + at + len(end)
            surplus = max(0, len(self.input) - len(end))
            del self.input[:surplus]
            count += surplus
            if self.closed:
                raise Closed
            yield

    def count(self, size):
        """So many bytes, thrown away."""
        while size > 0:
            n = min(size, len(self.input))
            del self.input[:n]
            size -= n
            if size > 0:
                if self.closed:
                    raise Closed
                yield

    def pause(self, seconds):
        due = time.monotonic() + seconds
        self.crowd.at(due, self)
        while time.monotonic() < due:
            yield

    def end(self):
        """Until the server closes."""
        while not self.closed:
            self.input.clear()
            yield

    def sip(self, size):
        """Reads so much of what is there, while it is not read from otherwise."""
        with contextlib.suppress(OSError):
            data = self.sock.recv(size)
            self.input += data
            return len(data)
        return 0

    def read(self, wanted):
        """Whether the socket is read from."""
        if wanted != self.reading:
            self.reading = wanted
            self.crowd.watch(self, wanted)

    def hang_up(self):
        if self.sock.fileno() >= 0:
            if self.reading:
                self.crowd.watch(self, False)
            self.reading = False
            self.sock.close()
        self.done = True

    # -- for the crowd --

    def receive(self):
        try:
            data = self.sock.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.received += len(data)
        self.input += data
        if not data:
            self.closed = True
            self.read(False)

    def step(self):
        if self.done:
            return
        try:
            next(self.script)
        except StopIteration as stop:
            self.value, self.done = stop.value, True
        except (Closed, AssertionError) as problem:
            self.problem, self.done = problem, True


class Crowd:
    def __init__(self):
        self.selector = selectors.EpollSelector()
        self.clients, self.timers, self.order = [], [], itertools.count()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for client in self.clients:
            client.hang_up()
        self.selector.close()

    def watch(self, client, wanted):
        if wanted:
            self.selector.register(client.sock, selectors.EVENT_READ, client)
        else:
            self.selector.unregister(client.sock)

    def at(self, due, client):
        heapq.heappush(self.timers, (due, next(self.order), client))

    def add(self, *args, **options):
        client = Client(self, *args, **options)
        self.clients.append(client)
        self.watch(client, True)
        client.step()
        return client

    def turn(self, patience):
        wait = patience
        if self.timers:
            wait = min(wait, max(0, self.timers[0][0] - time.monotonic()))
        for key, _ in self.selector.select(wait):
            key.data.receive()
            key.data.step()
        while self.timers and self.timers[0][0] <= time.monotonic():
            heapq.heappop(self.timers)[2].step()

    def run(self, over, patience=120):
        """Serves all until over() is true; false when that took too long."""
        deadline = time.monotonic() + patience
        while not over():
            if time.monotonic() > deadline:
                return False
            self.turn(0.05)
        return True

    def rest(self, seconds):
        deadline = time.monotonic() + seconds
        self.run(lambda: time.monotonic() >= deadline)


def raise_descriptors(wanted):
    """Gets as many descriptors as allowed; how many of `wanted` clients fit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return wanted if most == resource.RLIM_INFINITY else min(wanted, most // 2)


class Process:
    """What the kernel says of a process."""

    def __init__(self, pid):
        self.pid = pid

    def status(self, key):
        with open(f"/proc/{self.pid}/status") as f:
            for line in f:
                if line.startswith(key + ":"):
                    return int(line.split()[1])
        raise KeyError(key)

    def anonymous(self):
        """KiB of its own, without mapped files."""
        return self.status("RssAnon")

    def cpu(self):
        """Seconds, user and system."""
        with open(f"/proc/{self.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))
