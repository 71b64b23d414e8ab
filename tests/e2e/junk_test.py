# SPDX-License-Identifier: MIT
"""mox junk: what is learned of folders, and what it says of others."""
import os
import subprocess
import tempfile
import unittest

MOX = os.environ["MOX_BIN"]

HAM = "meeting agenda project review colleagues schedule report quarter budget lunch".split()
SPAM = "prize winner claim lottery millions urgent transfer guaranteed casino bonus".split()


def mox(*args, **more):
    return subprocess.run([MOX, *args], capture_output=True, text=True, timeout=60, **more)


def write(folder, words, first, count):
    os.makedirs(folder)
    for n in range(first, first + count):
        text = " ".join(words[(n * 3 + i * i) % len(words)] for i in range(6))
        start = "From someone Thu Jan  1 00:00:00 1970\n" if n % 2 == 0 else ""
        end = "\r\n" if n % 3 == 0 else "\n"
        date = f"Date: {n % 28 + 1} Jan 2026 10:00:00 +0000"
        with open(os.path.join(folder, f"{n:03}.eml"), "w", newline="") as file:
            file.write(start + end.join([date, f"Subject: {text}", "", text, ""]))


class Junk(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        for kind, words in (("ham", HAM), ("spam", SPAM)):
            write(self.path(kind, "a"), words, 0, 20)
            write(self.path(kind, "b", "deeper"), words, 20, 5)
            write(self.path("other", kind), words, 30, 10)
        self.db = self.path("junk.db")

    def path(self, *names):
        return os.path.join(self.dir.name, *names)

    def train(self, *flags):
        done = mox("junk", "train", "--dbpath", self.db, *flags, self.path("ham"), self.path("spam"))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_what_was_learned_tells_others_apart(self):
        self.assertIn("knows 25 ham, 25 spam", self.train())
        done = mox("junk", "test", "--dbpath", self.db, "--scores", self.path("other", "ham"), self.path("other", "spam"))
        lines = [line.split("\t") for line in done.stdout.splitlines()]
        self.assertEqual([line[0] for line in lines], ["ham"] * 10 + ["spam"] * 10)
        self.assertEqual([line[1] for line in lines[:10]], sorted(line[1] for line in lines[:10]))
        for kind, path, probability in lines:
            self.assertTrue(os.path.exists(path))
            self.assertTrue(float(probability) > 0.95 if kind == "spam" else float(probability) < 0.05, lines)
        done = mox("junk", "test", "--dbpath", self.db, self.path("other", "ham"), self.path("other", "spam"))
        self.assertIn("sensitivity  100.00 % (0 of spam not marked)", done.stdout)

    def test_a_file_that_is_no_filter_is_left_as_it_is(self):
        with open(self.db, "w") as file:
            file.write("no database at all")
        for args in ("check", self.path("ham", "a", "000.eml")), ("train", self.path("ham"), self.path("spam")):
            done = mox("junk", args[0], "--dbpath", self.db, *args[1:])
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"^mox: open junk filter \S*junk\.db: file is not a database; "
                                          "remove it and train a new one\n$")
        with open(self.db) as file:
            self.assertEqual(file.read(), "no database at all")

    def test_training_again_adds(self):
        self.train()
        self.assertIn("knows 50 ham, 50 spam", self.train())

    def test_check_shows_the_words(self):
        self.train()
        done = mox("junk", "check", "--dbpath", self.db, self.path("other", "spam", "031.eml"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"probability  0\.9\d+\nfrom words   \+\d+\.\d{3}\nfrom rest    \+\d+\.\d{3}\n")
        done = mox("junk", "check", "--dbpath", self.db, "-", input="Subject: x\n\nclaim your casino bonus\n")
        self.assertIn("casino", done.stdout)

    def test_parameters_are_those_of_the_file(self):
        self.train("--two-grams", "--one-grams=false")
        done = mox("junk", "check", "--dbpath", self.db, self.path("spam", "a", "000.eml"))
        self.assertRegex(done.stdout, r"\n[a-z]+ [a-z]+ +0\.9")

    def test_analyze_repeats_itself(self):
        args = ["junk", "analyze", "-seed", "7", self.path("ham"), self.path("spam")]
        first = mox(*args)
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual(first.stdout, mox(*args).stdout)
        self.assertRegex(first.stdout, r"messages +\d+ ham, \d+ spam")
        folds = mox(*args, "-folds", "5")
        self.assertIn("messages     25 ham, 25 spam", folds.stdout)

    def test_play_classifies_before_it_learns(self):
        done = mox("junk", "play", self.path("ham"), self.path("spam"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"sensitivity +\d+\.\d+ % \([1-9]")  # the first was not known

    def test_mistakes_are_told(self):
        for args, said in ((["test", "--dbpath", self.path("none.db"), self.path("ham"), self.path("spam")], "mox junk train"),
                           (["train", self.path("ham"), self.path("spam")], "-dbpath is missing"),
                           (["analyze", self.path("none"), self.path("spam")], "No such file"),
                           (["analyze", "-folds", "1", self.path("ham"), self.path("spam")], "from 2")):
            done = mox("junk", *args)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(said, done.stderr)
        with open(self.db, "wb") as file:
            file.write(b"no database" * 1000)
        done = mox("junk", "check", "--dbpath", self.db, self.path("ham", "a", "000.eml"))
        self.assertEqual(done.returncode, 1)
        self.assertNotEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main()
