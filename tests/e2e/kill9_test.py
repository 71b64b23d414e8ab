# SPDX-License-Identifier: MIT
"""kill -9 under mixed load: whatever was acknowledged holds, once, and nothing is damaged."""
import collections
import os
import random
import sys
import time
import unittest

from killload import Appender, Sender, Worker
from mailcase import MailCase, mailbox_content, mailbox_names

ROUNDS = int(os.environ.get("MOX_KILL_ROUNDS", "5"))
MORE_ROUNDS = 20  # at most, where the machine is so slow that some kind of change was not among the load
KINDS = "STORE", "COPY", "MOVE", "EXPUNGE", "CREATE", "RENAME", "DELETE"
SENDERS, APPENDERS, WORKERS = 6, 3, 7
CHECKPOINT_BYTES = 2000 * 4120


class Kill9(MailCase):
    def setUp(self):
        super().setUp()
        sys.setswitchinterval(0.0005)  # the clients are threads: let each get its turn
        self.server = self.daemon(self.tmp / "server")
        self.count = collections.Counter()
        self.validity, self.removed = {}, set()

    def start_load(self, n, workers):
        clients = [Sender(self.server, f"s{n}.{i}") for i in range(SENDERS)]
        clients += [Appender(self.server, f"a{n}.{i}") for i in range(APPENDERS)]
        clients += workers
        for client in clients:
            client.start()
        return clients

    def kill(self, clients):
        """At any moment; takes note of what it interrupted."""
        time.sleep(random.uniform(0.3, 2.5))
        self.server.kill()
        data = self.tmp / "server/data"
        wal = data / "accounts/mox/index.db-wal"  # not there before anybody has come
        self.count["with a checkpoint due in the round"] += (
            wal.exists() and wal.stat().st_size >= CHECKPOINT_BYTES)
        self.count["spools left"] += len(list((data / "tmp").glob("spool.*")))
        for client in clients:
            client.join(60)
            self.assertFalse(client.is_alive())
            self.assertIsNone(client.surprise)

    def restart(self):
        lines = self.strays()
        self.server.start()
        self.count["bodies without a message"] += self.strays() - lines

    def strays(self):
        return self.server.log_text().count("removed a message file")

    def snapshot(self):
        """{mailbox: (UIDVALIDITY, UIDNEXT, messages)}"""
        imap = self.imap(self.server)
        found = {name: mailbox_content(imap, name) for name in mailbox_names(imap)}
        imap.logout()
        for name, (_, uidnext, messages) in found.items():
            self.assertTrue(all(m.whole and m.uid < uidnext for m in messages), (name, messages))
            idents = [m.ident for m in messages]
            self.assertEqual(len(idents), len(set(idents)), f"a message is twice in {name}")
            self.assertFalse(self.removed & set(idents), "a removed message is there again")
        return found

    def check_arrivals(self, found, clients):
        for kind, name in ((Sender, "Inbox"), (Appender, "Archive")):
            validity, _, messages = found[name]
            self.assertEqual(self.validity.setdefault(name, validity), validity)
            acknowledged = {i for c in clients if isinstance(c, kind) for i in c.acknowledged}
            missing = acknowledged - {m.ident for m in messages}
            self.assertFalse(missing, f"acknowledged and lost: {sorted(missing)[:5]}")
            self.count[f"{name}: acknowledged"] += len(acknowledged)
            self.count[f"{name}: stored"] += len(messages)

    def check_worker(self, found, worker):
        """Its mailboxes are as acknowledged, or the change under way is there too, whole."""
        own = {n: v for n, v in found.items() if n == worker.box or n.startswith(worker.box + ".")}
        # $NotJunk comes with the mailbox; that the filter has learnt it is seen by verifydata
        ours = {"\\Recent", "$NotJunk"}
        state = {n: {m.ident: m.flags - ours for m in v[2]} for n, v in own.items()}
        if worker.after is not None and state == worker.after:
            self.count["changes done but not acknowledged"] += 1
        else:
            self.assertEqual(state, worker.state)
        for name, (validity, uidnext, messages) in own.items():
            for m in messages:
                self.assertEqual(worker.uids.setdefault((validity, m.uid), m.ident), m.ident, name)
            known = [uid for v, uid in worker.uids if v == validity]
            self.assertLess(max(known, default=0), uidnext, "a UID would be reused")
        self.count.update(worker.done)
        return state

    def empty(self):
        """What arrived is removed again, and may not come back."""
        imap = self.imap(self.server)
        for name in ("Inbox", "Archive"):
            imap.select(name)
            self.removed |= {m.ident for m in mailbox_content(imap, name)[2]}
            imap.select(name)
            imap.uid("STORE", "1:*", "+FLAGS.SILENT", "\\Deleted")
            self.assertEqual(imap.expunge()[0], "OK")
        imap.logout()

    def test_whatever_was_acknowledged_holds(self):
        workers = [Worker(self.server, f"w{i}") for i in range(WORKERS)]
        rounds = 0
        while rounds < ROUNDS or rounds < ROUNDS + MORE_ROUNDS and not all(self.count[k] for k in KINDS):
            rounds += 1
            clients = self.start_load(rounds, workers)
            self.kill(clients)
            self.restart()
            found = self.snapshot()
            self.check_arrivals(found, clients)
            workers = [w.again(self.server, self.check_worker(found, w)) for w in workers]
            self.stop_and_verify(self.server)
            self.server.start()
            self.empty()
        for kind in KINDS:
            self.assertGreater(self.count[kind], 0, "too little load to prove anything")
        print(f"{rounds} kills; " + ", ".join(f"{k}: {v}" for k, v in sorted(self.count.items())))


if __name__ == "__main__":
    unittest.main()
