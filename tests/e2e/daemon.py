# SPDX-License-Identifier: MIT
"""Runs the built daemon on free loopback ports with a data directory of its own."""
import atexit
import contextlib
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

MOX = os.environ.get("MOX_BIN", "mox")
USER, PASSWORD = "mox@localhost", "moxmoxmox"
SERVICES = {"smtp": 25, "imap": 143, "submissions": 465, "submission": 587, "imaps": 993}
# Sanitizers make everything slower; this bounds a hang, it measures nothing.
PATIENCE = 60
# What happens when there is time for it, and has lines of its own: the filter learns, logins are
# recorded, removed messages are erased. Such a line may stand between any others.
BACKGROUND = "the junk filter", "cannot open the junk filter", "attempts to log in", "transaction failed"


def in_background(line):
    return any(f'm="{what}' in line for what in BACKGROUND)


held = contextlib.ExitStack()  # the sockets that keep ports for this process
atexit.register(held.close)


def free_base():
    """A port base whose five ports nobody has. They stay taken for other tests until this process ends,
    also while no server listens: sockets keep them that let only those in who bind with SO_REUSEADDR, as
    the server does. All are below those that the system gives to the clients of other tests."""
    while True:
        base = random.randrange(2000, 31000)
        with contextlib.ExitStack() as stack:
            try:
                for offset in SERVICES.values():
                    s = stack.enter_context(socket.socket())
                    s.bind(("127.0.0.1", base + offset))
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            except OSError:
                continue
            held.push(stack.pop_all())
            return base


class Daemon:
    """`mox localserve`; use as a context manager."""

    def __init__(self, *args, ip="127.0.0.1", directory=None, under=()):
        self.args, self.ip = args, ip
        self.under = under  # the command that starts it
        self.own_directory = directory is None
        self.root = tempfile.mkdtemp(prefix="mox-e2e.") if self.own_directory else None
        self.dir = directory or os.path.join(self.root, "data")
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        self.stop()
        if self.root:
            shutil.rmtree(self.root, ignore_errors=True)

    def start(self):
        for _ in range(20):
            if self.base_of_config() is None:
                self.base = free_base()
            self.log = open(os.path.join(self.root or self.dir + "-log", "log"), "ab")
            self.process = subprocess.Popen(
                [*self.under, MOX, "localserve", "-dir", self.dir, "-ip", self.ip, "-port-base", str(self.base),
                 *self.args],
                stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
            if self.wait_until_ready():
                return
        raise RuntimeError("mox localserve did not start:\n" + self.log_text())

    def base_of_config(self):
        """An existing directory keeps its ports."""
        return getattr(self, "base", None) if os.path.isdir(self.dir) else None

    def wait_until_ready(self):
        """It listens before it can be told to end by a signal: it is ready when it greets."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            with contextlib.suppress(OSError):
                for service in SERVICES:
                    with socket.create_connection((self.ip, self.port(service)), PATIENCE) as s:
                        if service == "smtp" and s.recv(1) != b"2":
                            raise OSError
                return True
            time.sleep(0.02)
        self.kill()
        return False

    def port(self, service):
        return self.base + SERVICES[service]

    def log_text(self):
        with open(self.log.name, "rb") as f:
            return f.read().decode(errors="replace")

    def errors(self):
        """The log's lines of errors that somebody was answered with."""
        return [line for line in self.log_text().splitlines() if "l=error" in line and not in_background(line)]

    def stop(self):
        """SIGTERM; returns the exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.log.close()
        self.process = None
        return status

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)
        self.log.close()
        self.process = None

    def verify(self):
        """`mox verifydata` of the stopped server: its output, and whether all is well."""
        done = subprocess.run([MOX, "verifydata", os.path.join(self.dir, "data")],
                              capture_output=True, text=True, timeout=PATIENCE * 5)
        return done.returncode == 0, done.stdout + done.stderr


def any_certificate():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
