# SPDX-License-Identifier: MIT
"""No 250 and no OK leaves the server before the sync that covers it: its calls are traced, in order,
under clients that do all that changes mail."""
import base64
import os
import re
import secrets
import socket
import threading
import unittest

from daemon import PASSWORD, PATIENCE, USER, Daemon, any_certificate

LIBRARY = os.environ.get("TRACELIB", "libtracelib.so")
SMALL, LARGE = 20, 3000  # lines: a large message is a file of its own
ROUNDS = int(os.environ.get("MOX_TRACE_ROUNDS", "4"))


def token():
    """Tag, keyword, name and text at once, found again wherever it is written."""
    return "tk" + secrets.token_hex(8)


def message(mark, lines):
    return (f"From: a@remote.example\r\nMessage-ID: <{mark}@remote.example>\r\nSubject: {mark}\r\n\r\n"
            f"{mark}\r\n" + ("y" * 60 + "\r\n") * lines).encode()


# ---- clients, who note what was acknowledged where ----

class Client:
    def __init__(self, port, tls):
        self.sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.port = self.sock.getsockname()[1]  # stays open, so nobody else gets the port
        if tls:
            self.sock = any_certificate().wrap_socket(self.sock)
        self.file = self.sock.makefile("rb")

    def close(self):
        self.file.close()
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode())


class Smtp(Client):
    def __init__(self, server, tls=False):
        super().__init__(server.port("submissions" if tls else "smtp"), tls)
        self.replies = 0
        self.expect(220)
        self.say("EHLO client.example", 250)
        if tls:
            self.say("AUTH PLAIN " + base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode(), 235)
        self.sender = USER if tls else "a@remote.example"

    def expect(self, code):
        while (line := self.file.readline())[3:4] == b"-":
            pass
        self.replies += 1
        assert line.startswith(str(code).encode()), line

    def say(self, line, code):
        self.send(line + "\r\n")
        self.expect(code)

    def begin(self):
        self.say(f"MAIL FROM:<{self.sender}>", 250)
        self.say(f"RCPT TO:<{USER}>", 250)

    def data(self, mark, lines):
        self.begin()
        self.say("DATA", 354)
        self.send(message(mark, lines) + b".\r\n")
        self.expect(250)
        return self.acknowledged(mark, lines)

    def bdat(self, mark, lines):
        self.begin()
        text = message(mark, lines)
        half = len(text) // 2
        self.send(f"BDAT {half}\r\n".encode() + text[:half])
        self.expect(250)
        self.send(f"BDAT {len(text) - half} LAST\r\n".encode() + text[half:])
        self.expect(250)
        return self.acknowledged(mark, lines)

    def acknowledged(self, mark, lines):
        return Ack(self, mark, lines == LARGE, reply=self.replies)


class Imap(Client):
    def __init__(self, server, tls=False):
        super().__init__(server.port("imaps" if tls else "imap"), tls)
        self.file.readline()
        self.do(f"LOGIN {USER} {PASSWORD}")
        self.do("SELECT Inbox")

    def wait(self, tag):
        while not (line := self.file.readline()).startswith(tag.encode()):
            assert line, "the server hung up"
        assert line.split()[1] == b"OK", line

    def do(self, command, mark=None):
        """`{}` in the command is its tag, which is a token."""
        mark = mark or token()
        self.send(f"{mark} {command.replace('{}', mark)}\r\n")
        self.wait(mark)
        return Ack(self, mark)

    def append(self, mark, lines, box="Inbox"):
        text = message(mark, lines)
        self.send(f"{mark} APPEND {box} {{{len(text)}}}\r\n")
        assert self.file.readline().startswith(b"+")
        self.send(text + b"\r\n")
        self.wait(mark)
        return Ack(self, mark, lines == LARGE)


class Ack:
    """Something was acknowledged: in the reply of that number, or under the token as a tag."""

    def __init__(self, client, mark, large=False, reply=None):
        self.port, self.mark, self.large, self.reply = client.port, mark.encode(), large, reply


# ---- the trace ----

class Trace:
    def __init__(self, path):
        self.events = []  # (what, words, bytes)
        self.streams = {}  # of a port: what was sent, and where each event begins in it
        self.syncs = {}  # of a path: (begin, end)
        begun = {}
        with open(path, "rb") as f:
            data = f.read()
        at = 0
        while at < len(data):
            end = data.index(b"\n", at)
            what, *words = data[at:end].decode().split(" ")
            length = int(words[-1]) if what in ("write", "received", "sending") else 0
            body = data[end + 1:end + 1 + length]
            at = end + 1 + length + (1 if length else 0)
            now = len(self.events)
            self.events.append((what, words, body))
            if what == "sending":
                stream = self.streams.setdefault(words[0], [b"", []])
                stream[1].append((len(stream[0]), now))
                stream[0] += body
            elif what == "syncing":
                begun[words[0]] = now
            elif what == "synced":
                self.syncs.setdefault(words[1], []).append((begun[words[0]], now))

    def find(self, what, test, before):
        return [i for i, (kind, words, body) in enumerate(self.events[:before])
                if kind == what and test(words, body)]

    def synced(self, path, after, before):
        """Whether a sync that began after the one event was done before the other."""
        return any(begin > after and end < before for begin, end in self.syncs.get(path, []))

    def sent_at(self, ack):
        """The event that told the client."""
        text, starts = self.streams[str(ack.port)]
        pattern = rb"^\d{3} .*\r\n" if ack.reply else ack.mark + rb" OK "
        match = list(re.finditer(pattern, text, re.M))[ack.reply - 1 if ack.reply else 0]
        return max(event for offset, event in starts if offset <= match.start())

    def received_at(self, ack):
        return self.find("received", lambda words, body: words[0] == str(ack.port) and ack.mark in body,
                         len(self.events))[0]


def is_log(path):
    return path.endswith("index.db-wal")


class NothingIsAcknowledgedTooEarly(unittest.TestCase):
    def setUp(self):
        self.acks, self.changes = [], []  # with a token in what is written; and others, done alone

    # -- the load --

    def each(self, *works):
        """At the same time."""
        failures = []

        def run(work):
            try:
                self.acks.extend(work())
            except Exception as e:  # told by the thread that waits
                failures.append(e)
        threads = [threading.Thread(target=run, args=(w,)) for w in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def client(self, kind, *args):
        client = kind(*args)
        self.addCleanup(client.close)
        return client

    def mail(self, server, tls):
        smtp = self.client(Smtp, server, tls)
        for n in range(ROUNDS):
            yield smtp.data(token(), SMALL)
            yield smtp.bdat(token(), SMALL if n % 2 else LARGE)
        yield smtp.data(token(), LARGE)

    def appends(self, server, tls):
        imap = self.client(Imap, server, tls)
        for n in range(ROUNDS):
            yield imap.append(token(), SMALL if n % 3 else LARGE)
            yield imap.do("CREATE {}")
            yield imap.do("STORE 1 +FLAGS ({})")

    def alone(self, server):
        imap = self.client(Imap, server)
        for command in ("STORE 1:3 +FLAGS (\\Flagged)", "COPY 1:3 Archive", "MOVE 2 Trash",
                        "STORE 1:2 +FLAGS (\\Deleted)", "EXPUNGE", "CREATE x/y", "RENAME x z",
                        "SUBSCRIBE elsewhere", "UNSUBSCRIBE elsewhere", "DELETE z/y"):
            yield imap.do(command)

    # -- what must hold --

    def check_log(self, trace, ack, sent, after=0):
        """A write to the log with the token, and a sync of the log behind it."""
        hits = [i for i in trace.find("write", lambda words, body: ack.mark in body, sent)
                if is_log(trace.events[i][1][0]) and i > after]
        self.assertTrue(hits, f"{ack.mark} was acknowledged before it was written")
        log = trace.events[hits[0]][1][0]
        self.assertTrue(any(trace.synced(log, i, sent) for i in hits),
                        f"{ack.mark} was acknowledged before its log was synced")
        for made in trace.find("name", lambda words, _: words[0] == log, sent):
            self.assertTrue(trace.synced(os.path.dirname(log), made, sent),
                            f"{ack.mark} was acknowledged before the name of its log was synced")
        return hits[-1]

    def check_file(self, trace, ack, sent):
        """The body, its sync, its name, the sync of the name, then the log."""
        spool = next(trace.events[i][1][0] for i in
                     trace.find("write", lambda words, body: "/spool." in words[0] and ack.mark in body,
                                sent))
        linked = trace.find("link", lambda words, _: words[0] == spool, sent)
        self.assertEqual(len(linked), 1, f"{ack.mark} has no file")
        last = trace.find("write", lambda words, _: words[0] == spool, len(trace.events))[-1]
        self.assertTrue(trace.synced(spool, last, linked[0]), f"{ack.mark}: its file was not synced")
        folder = os.path.dirname(trace.events[linked[0]][1][1])
        logged = self.check_log(trace, ack, sent, after=linked[0])
        self.assertTrue(trace.synced(folder, linked[0], logged), f"{ack.mark}: its name was not synced")
        for made in trace.find("name", lambda words, _: words[0].startswith(self.store) and
                               folder.startswith(words[0]), sent):
            parent = os.path.dirname(trace.events[made][1][0])
            self.assertTrue(trace.synced(parent, made, logged), f"{ack.mark}: {parent} was not synced")

    def check_change(self, trace, ack):
        """Nothing else was going on: what was written to the log since the command came."""
        sent = trace.sent_at(ack)
        came = trace.received_at(ack)
        hits = [i for i in trace.find("write", lambda words, _: is_log(words[0]), sent) if i > came]
        self.assertTrue(hits, f"{ack.mark} was acknowledged before anything was written")
        self.assertTrue(trace.synced(trace.events[hits[0]][1][0], hits[0], sent),
                        f"{ack.mark} was acknowledged before the log was synced")

    def test_replies_come_after_syncs(self):
        asan = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        server = Daemon()
        self.store = os.path.join(server.dir, "data")
        path = os.path.join(server.root, "trace")
        server.under = ["env", f"LD_PRELOAD={LIBRARY}", f"MOX_TRACE={path}", f"ASAN_OPTIONS={asan}"]
        with server:
            self.each(lambda: list(self.mail(server, False)))
            self.each(*[lambda tls=tls: list(self.mail(server, tls)) for tls in (False, False, False, True)],
                      *[lambda tls=tls: list(self.appends(server, tls)) for tls in (False, False, True)])
            self.changes = list(self.alone(server))
            server.stop()
            trace = Trace(path)
        for ack in self.acks:
            check = self.check_file if ack.large else self.check_log
            check(trace, ack, trace.sent_at(ack))
        for ack in self.changes:
            self.check_change(trace, ack)
        syncs = sum(map(len, trace.syncs.values()))
        print(f"{len(self.acks) + len(self.changes)} acknowledgements, {syncs} syncs, "
              f"{len(trace.events)} events")
        self.assertGreater(len(self.acks), 40)


if __name__ == "__main__":
    unittest.main()
