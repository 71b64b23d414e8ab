# SPDX-License-Identifier: MIT
"""A client of SCRAM (RFC 5802) and CRAM-MD5 (RFC 2195), from the RFCs, for servers under test."""
import base64
import hashlib
import hmac
import re
import secrets
import subprocess

CRLF = b"\r\n"


def encode(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


class Scram:
    def __init__(self, hash_name, user, password, binding=None):
        """`binding`: the name of a channel binding, and its bytes."""
        self.hash, self.password = hash_name, password.encode()
        self.header = b"n,," if binding is None else f"p={binding[0]},,".encode()
        self.channel = b"" if binding is None else binding[1]
        self.bare = f"n={user},r={secrets.token_hex(12)}"

    def first(self):
        return self.header + self.bare.encode()

    def mac(self, key, text):
        return hmac.new(key, text, self.hash).digest()

    def final(self, server_first):
        said = dict(part.split("=", 1) for part in server_first.decode().split(","))
        assert said["r"].startswith(self.bare.split("r=")[1]), said
        salted = hashlib.pbkdf2_hmac(self.hash, self.password, base64.b64decode(said["s"]),
                                     int(said["i"]))
        without_proof = f"c={encode(self.header + self.channel)},r={said['r']}"
        message = f"{self.bare},{server_first.decode()},{without_proof}".encode()
        key = self.mac(salted, b"Client Key")
        signature = self.mac(hashlib.new(self.hash, key).digest(), message)
        proof = bytes(a ^ b for a, b in zip(key, signature))
        self.expected = b"v=" + encode(self.mac(self.mac(salted, b"Server Key"), message)).encode()
        return f"{without_proof},p={encode(proof)}".encode()


class Openssl:
    """`openssl s_client`: TLS by a program that exports its keys (RFC 5705), and lines through it."""

    def __init__(self, port, *args):
        self.process = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-crlf", "-ign_eof",
             "-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32", *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.exporter = bytes.fromhex(self.find(rb"Keying material: ([0-9A-F]{64})").decode())

    def find(self, pattern):
        """Reads up to the line with it, and returns its group."""
        for line in self.process.stdout:
            found = re.search(pattern, line)
            if found:
                return found.group(1) if found.groups() else line
        raise AssertionError(f"the connection ended before {pattern!r}")

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
