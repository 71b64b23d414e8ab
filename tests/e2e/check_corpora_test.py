# SPDX-License-Identifier: MIT
"""Whole messages of other filters' test suites: what `mox check` says of SPF, DKIM and DMARC is what they
say; check-differences.tsv names the rest, and why."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

MOX = os.environ["MOX_BIN"]
HERE = pathlib.Path(__file__).parent
CORPORA = pathlib.Path(os.environ.get("MOX_CORPORA", "")) / "dmarc"

# name, then TTL and class or not, type, and the rest.
RECORD = re.compile(r"(\S+)\s+(?:\d+\s+IN\s+)?(A|AAAA|MX|NS|PTR|CNAME|TXT)\s+(.*)")


def rows(path):
    with open(path, encoding="utf-8") as f:
        return [line.rstrip("\n").split("\t") for line in f if not line.startswith("#")]


def value_of(kind, text):
    if kind != "TXT":
        return text.strip()
    text = text.strip().removeprefix("(").removesuffix(")").strip()
    quoted = re.findall(r'"([^"]*)"', text)
    # Some lines lost a quotation mark between two strings.
    return "".join(quoted) if text.count('"') % 2 == 0 and quoted else text.replace('"', "").replace("  ", " ")


def zone_of(path):
    """The records of a zone in the form of BIND, in ours."""
    out = []
    for line in path.read_text(encoding="utf-8").splitlines():
        found = RECORD.fullmatch(line)
        if found is not None and not line.startswith(";"):
            name, kind, rest = found.groups()
            out.append(f"{name}\t{kind}\t{value_of(kind, rest)}\n")
    return "".join(dict.fromkeys(out))


@unittest.skipUnless(CORPORA.is_dir(), "no corpora")
class Suites(unittest.TestCase):
    def setUp(self):
        self.differences = {tuple(row[:3]): row[3] for row in rows(HERE / "check-differences.tsv")}
        self.judged = self.differ = 0
        self.addCleanup(lambda: print(f"{self.judged} results, {self.differ} of them judged otherwise with a "
                                      "reason", file=sys.stderr))

    def check(self, path, zone, ip, helo, mail_from):
        done = subprocess.run([MOX, "check", "--json", "--ip", ip, "--helo", helo, "--mailfrom", mail_from,
                               "--zone", str(zone), "--now", "2015-01-01T00:00:00Z", str(path)],
                              capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def compare(self, suite, name, method, got, want):
        ours = self.differences.get((suite, name, method))
        self.judged += 1
        self.differ += ours is not None
        with self.subTest(suite=suite, name=name, method=method):
            self.assertEqual(got, want if ours is None else ours)
            self.assertNotEqual(ours, want, "no difference any more")

    def test_rspamd(self):
        folder = CORPORA / "rspamd"
        for name, ip, mail_from, want, _ in rows(folder / "cases.tsv"):
            got = self.check(folder / name, folder / "dns.tsv", ip.replace("-", "127.0.0.1"), "",
                             "" if mail_from == "-" else mail_from)
            self.compare("rspamd", name, "dmarc", got["dmarc"]["result"], want.split()[0])
            if want.startswith("fail policy=") and got["dmarc"]["result"] == "fail":
                self.compare("rspamd", name, "disposition", got["dmarc"]["disposition"],
                             want.removeprefix("fail policy="))
        self.assertGreater(self.judged, 7)

    def test_authmilter(self):
        folder = CORPORA / "authmilter"
        with tempfile.TemporaryDirectory() as temporary:
            zone = pathlib.Path(temporary) / "zone"
            zone.write_text(zone_of(folder / "zonefile"), encoding="utf-8")
            for name, ip, helo, mail_from, spf, dkim, dmarc, _ in rows(folder / "cases.tsv"):
                got = self.check(folder / name, zone, ip, helo, "" if "," in mail_from else mail_from)
                signatures = [s["result"] for s in got["dkim"] if s["domain"] == "marcbradshaw.net"]
                found = {"spf": got["spf"]["result"], "dkim": signatures[0] if signatures else "none",
                         "dmarc": got["dmarc"]["result"]}
                for method, want in (("spf", spf), ("dkim", dkim), ("dmarc", dmarc)):
                    if want != "-":
                        self.compare("authmilter", name, method, found[method], want)
        self.assertGreater(self.judged, 20)


if __name__ == "__main__":
    unittest.main()
