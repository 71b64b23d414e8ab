# SPDX-License-Identifier: MIT
"""Clients that work until the server goes away, and remember what it acknowledged."""
import collections
import contextlib
import copy
import imaplib
import itertools
import random
import re
import socket
import threading

from daemon import PASSWORD, USER
from mailcase import SMALL, message

SIZES = (SMALL, SMALL, SMALL, 30, 900, 3000)  # lines: in the database up to 900, the last in a file
GOODBYES = (OSError, imaplib.IMAP4.error)


class Client(threading.Thread):
    def __init__(self, server, label):
        super().__init__(daemon=True)
        self.server, self.label, self.acknowledged = server, label, []
        self.surprise = None  # an answer that no kill explains

    def run(self):
        with contextlib.suppress(*GOODBYES), contextlib.ExitStack() as stack:
            self.work(stack)

    def idents(self):
        for n in itertools.count():
            yield f"{self.label}-{n}"

    def connect_imap(self, stack):
        imap = imaplib.IMAP4("127.0.0.1", self.server.port("imap"), timeout=60)
        stack.callback(imap.file.close)
        stack.callback(imap.sock.close)
        imap.login(USER, PASSWORD)
        return imap


class Sender(Client):
    """Delivers over SMTP, with as little work of its own as possible."""

    def expect(self, replies, code):
        line = replies.readline()
        while line[3:4] == b"-":
            line = replies.readline()
        if line and line[:3] != code:
            self.surprise = line
        if line[:3] != code:
            raise OSError

    def work(self, stack):
        s = stack.enter_context(socket.create_connection(("127.0.0.1", self.server.port("smtp")), 60))
        replies = stack.enter_context(s.makefile("rb"))
        self.expect(replies, b"220")
        s.sendall(b"EHLO localhost\r\n")
        self.expect(replies, b"250")
        for ident in self.idents():
            s.sendall(f"MAIL FROM:<a@remote.example>\r\nRCPT TO:<{USER}>\r\nDATA\r\n".encode())
            for code in (b"250", b"250", b"354"):
                self.expect(replies, code)
            s.sendall(message(ident, random.choice(SIZES)) + b".\r\n")
            self.expect(replies, b"250")
            self.acknowledged.append(ident)


class Appender(Client):
    def work(self, stack):
        imap = self.connect_imap(stack)
        for ident in self.idents():
            status, data = imap.append("Archive", "(\\Flagged)", None,
                                       message(ident, random.choice(SIZES)))
            if status == "OK":
                self.acknowledged.append(ident)
            else:
                self.surprise = data


class Worker(Client):
    """Changes mailboxes of its own: messages, flags, names. `state` is what was acknowledged, for each
    mailbox {ident: flags}; `after` is that and the change whose answer did not come, None without."""

    def __init__(self, server, label):
        super().__init__(server, label)
        self.box = label
        self.state, self.after = {}, None
        self.uids = {}  # (UIDVALIDITY, UID): ident, of all that ever were
        self.done = collections.Counter()
        self.next = itertools.count()

    def again(self, server, state):
        """Another round, which begins with what is there."""
        w = Worker(server, self.label)
        w.state, w.uids, w.next = state, self.uids, self.next
        return w

    def attempt(self, kind, command, change):
        after = copy.deepcopy(self.state)
        change(after)
        self.after = after
        status, data = command()
        if status != "OK":
            self.surprise = (kind, data)
            raise OSError
        self.state, self.after = after, None
        self.done[kind] += 1
        return data[-1] or b""

    def work(self, stack):
        imap = self.imap = self.connect_imap(stack)
        if self.box not in self.state:
            self.create(self.box)
            self.create(self.box + ".copies")
            self.create(self.box + ".moved")
        imap.select(self.box)
        validity = int(imap.response("UIDVALIDITY")[1][0])
        self.known = {ident: uid for (v, uid), ident in self.uids.items() if v == validity}
        while True:
            ops = [self.append, self.append, self.store, self.store, self.copy, self.move, self.expunge,
                   self.new_name, self.rename, self.delete]
            random.choice(ops)()

    def create(self, name):
        self.attempt("CREATE", lambda: self.imap.create(name), lambda s: s.__setitem__(name, {}))

    def append(self, box=None):
        box, ident = box or self.box, f"{self.label}-{next(self.next)}"
        lines = random.choice((SMALL, 30, 900))
        text = self.attempt("APPEND", lambda: self.imap.append(box, None, None, message(ident, lines)),
                            lambda s: s[box].__setitem__(ident, set()))
        validity, uid = re.search(rb"APPENDUID (\d+) (\d+)", text).groups()
        self.note(validity, uid, ident)
        if box == self.box:
            self.known[ident] = int(uid)

    def note(self, validity, uid, ident):
        assert self.uids.setdefault((int(validity), int(uid)), ident) == ident, "a UID was reused"

    def some(self, allowed=lambda ident, flags: True):
        """A few messages of the main mailbox, and their UIDs as a set."""
        fit = [i for i, flags in self.state[self.box].items() if i in self.known and allowed(i, flags)]
        fit = random.sample(fit, min(len(fit), 5))
        return fit, ",".join(str(self.known[i]) for i in fit)

    def store(self):
        sign, flag = random.choice("++-"), random.choice(("\\Flagged", "\\Deleted", "\\Deleted"))
        idents, uids = self.some()

        def change(s):
            for i in idents:
                (set.add if sign == "+" else set.discard)(s[self.box][i], flag)
        if idents:
            self.attempt("STORE", lambda: self.imap.uid("STORE", uids, sign + "FLAGS.SILENT", flag),
                         change)

    def copied(self, text, idents):
        match = re.search(rb"COPYUID (\d+) ([\d,:]+) ([\d,:]+)", text)
        if match is None:
            return
        by_uid = sorted(idents, key=self.known.get)
        for uid, ident in zip(expand(match[3]), by_uid, strict=True):
            self.note(match[1], uid, ident)

    def copy(self):
        to = self.box + ".copies"
        idents, uids = self.some(lambda i, flags: i not in self.state[to])
        if not idents:
            return

        def change(s):
            s[to].update({i: set(s[self.box][i]) for i in idents})
        self.copied(self.attempt("COPY", lambda: self.imap.uid("COPY", uids, to), change), idents)

    def move(self):
        to = self.box + ".moved"
        idents, uids = self.some()
        if not idents:
            return

        def change(s):
            s[to].update({i: s[self.box].pop(i) for i in idents})
        self.attempt("MOVE", lambda: self.imap.uid("MOVE", uids, to), change)

    def expunge(self):
        idents, uids = self.some(lambda i, flags: "\\Deleted" in flags)

        def change(s):
            for i in idents:
                del s[self.box][i]
        if idents:
            self.attempt("EXPUNGE", lambda: self.imap.uid("EXPUNGE", uids), change)

    def names(self):
        return [n for n in self.state if n.startswith(self.box + ".n")]

    def new_name(self):
        if len(self.names()) < 10:
            name = f"{self.box}.n{next(self.next)}"
            self.create(name)
            self.append(name)

    def rename(self):
        for name in self.names()[:1]:
            new = f"{self.box}.n{next(self.next)}"
            self.attempt("RENAME", lambda: self.imap.rename(name, new),
                         lambda s: s.__setitem__(new, s.pop(name)))

    def delete(self):
        for name in self.names()[-1:]:
            self.attempt("DELETE", lambda: self.imap.delete(name), lambda s: s.pop(name))


def expand(uids):
    for part in uids.split(b","):
        first, _, last = part.partition(b":")
        yield from range(int(first), int(last or first) + 1)
