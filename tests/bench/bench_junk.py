#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The junk filter and bogofilter on the same real mail: one half by hash is learned, the other classified.

    bench_junk.py path-of-mox corpora

Prints messages a second of each, the ratio, and what spam is caught with so many hams marked.
"""
import hashlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile

ROUNDS = 3


def halves(folder):
    """Makes folder/0 and folder/1 of folder/ham and folder/spam; returns how many messages there are."""
    count = {"0": 0, "1": 0}
    for kind in ("ham", "spam"):
        for path, _, files in os.walk(os.path.join(folder, kind)):
            for name in files:
                source = os.path.join(path, name)
                with open(source, "rb") as file:
                    half = str(hashlib.md5(file.read()).digest()[0] & 1)
                target = os.path.join(folder, half, kind)
                os.makedirs(target, exist_ok=True)
                os.link(source, os.path.join(target, os.path.basename(path) + "-" + name))
                count[half] += 1
    return count


def paths(folder):
    return "".join(os.path.join(folder, name) + "\n" for name in sorted(os.listdir(folder))).encode()


def run(command, given=b""):
    """CPU seconds of a command, and its output: the clock would count what else the machine does."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, input=given, stdout=subprocess.PIPE, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1, 2):
        raise SystemExit(f"{command[0]}: exit code {done.returncode}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, done.stdout.decode("utf-8", "replace")


def caught(scores):
    """Spam caught in percent, with the lowest threshold that lets so many hams be marked."""
    hams = sorted((p for spam, p in scores if not spam), reverse=True)
    spams = [p for spam, p in scores if spam]
    return " ".join(f"{n}: {100 * sum(p > hams[n] for p in spams) / len(spams):.1f} %" for n in (0, 1, 2, 4, 10))


class Mox:
    name = "mox"

    def __init__(self, program, folder):
        self.program, self.db = program, os.path.join(folder, "mox.db")

    def train(self, folder):
        for end in ("", "-wal", "-shm"):
            if os.path.exists(self.db + end):
                os.unlink(self.db + end)
        return run([self.program, "junk", "train", "-dbpath", self.db, folder + "/ham", folder + "/spam"])[0]

    def classify(self, folder):
        cpu, out = run([self.program, "junk", "test", "-dbpath", self.db, "-scores", folder + "/ham", folder + "/spam"])
        lines = (line.split("\t") for line in out.splitlines())
        return cpu, [(kind == "spam", float(p)) for kind, _, p in lines]


class Bogofilter:
    name = "bogofilter"

    def __init__(self, folder):
        self.dir = os.path.join(folder, "bogofilter")

    def train(self, folder):
        shutil.rmtree(self.dir, ignore_errors=True)
        os.mkdir(self.dir)
        return sum(run(["bogofilter", "-d", self.dir, flag, "-b"], paths(folder + "/" + kind))[0]
                   for flag, kind in (("-n", "ham"), ("-s", "spam")))

    def classify(self, folder):
        total, scores = 0, []
        for kind in ("ham", "spam"):
            cpu, out = run(["bogofilter", "-d", self.dir, "-TT", "-b"], paths(folder + "/" + kind))
            total += cpu
            scores += [(kind == "spam", float(line.split()[-1])) for line in out.splitlines()]
        return total, scores


def main():
    program, corpora = sys.argv[1:3]
    archive = os.path.join(corpora, "junk", "spamassassin.tar.xz")
    if not os.path.exists(archive):
        print("no", archive, "here: nothing measured")
        return
    with tempfile.TemporaryDirectory(prefix="mox-junk-") as folder:
        subprocess.run(["tar", "-xJf", archive, "-C", folder], check=True)
        count = halves(folder)
        filters = [Mox(program, folder)]
        if shutil.which("bogofilter") is not None:
            filters.append(Bogofilter(folder))
        best = {f.name: [0, 0] for f in filters}
        for _ in range(ROUNDS):
            for f in filters:
                train = count["0"] / f.train(folder + "/0")
                cpu, scores = f.classify(folder + "/1")
                best[f.name] = [max(best[f.name][0], train), max(best[f.name][1], count["1"] / cpu)]
                f.scores = scores
        for f in filters:
            print(f"{f.name}: learns {best[f.name][0]:,.0f}, classifies {best[f.name][1]:,.0f} messages a second of CPU")
            print(f"    spam caught by hams marked: {caught(f.scores)}")
        if len(filters) == 2:
            ratio = [a / b for a, b in zip(best["mox"], best["bogofilter"])]
            print(f"{ratio[0]:.2f} times bogofilter's speed of learning, {ratio[1]:.2f} times that of classifying")


if __name__ == "__main__":
    main()
