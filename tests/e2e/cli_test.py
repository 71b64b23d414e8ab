# SPDX-License-Identifier: MIT
"""The mox command: how it takes its arguments apart, what it prints where, and its exit codes. A small
server of our own stands behind the control socket."""
import imaplib
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from daemon import PATIENCE, free_base

MOX = os.environ["MOX"]


class ControlSocket:
    """Answers one connection with fixed replies, and keeps what the client sent."""

    def __init__(self, folder, replies, greeting="ctlv0\n"):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(folder / "ctl"))
        self.listener.listen()
        self.replies, self.greeting, self.got = replies, greeting, []
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        self.listener.settimeout(PATIENCE)
        conn, _ = self.listener.accept()
        with conn, conn.makefile("rw", newline="\n") as f:
            f.write(self.greeting)
            f.flush()
            for lines, reply in self.replies:
                for _ in range(lines):
                    self.got.append(f.readline().rstrip("\n"))
                f.write(reply)
                f.flush()

    def close(self):
        self.thread.join()
        self.listener.close()


class CliTest(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="mox-cli-"))
        self.addCleanup(shutil.rmtree, self.dir)
        (self.dir / "home").mkdir()

    def mox(self, *args, stdin="", env=None):
        full = {"PATH": os.environ["PATH"], "HOME": str(self.dir / "home"), **(env or {})}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LD_LIBRARY_PATH"):
            if name in os.environ:
                full[name] = os.environ[name]
        return subprocess.run([MOX, *map(str, args)], input=stdin, capture_output=True, text=True,
                              cwd=self.dir, env=full, timeout=PATIENCE)

    def check(self, result, code, out=None, err=None):
        self.assertEqual(result.returncode, code, result)
        if out is not None:
            self.assertIn(out, result.stdout)
        if err is not None:
            self.assertIn(err, result.stderr)
        if code == 0:
            self.assertEqual(result.stderr, "")
        else:
            self.assertEqual(result.stdout, "")

    def write_config(self, folder, **changes):
        folder.mkdir(parents=True, exist_ok=True)
        values = {"account": "alice", "level": "info", **changes}
        (folder / "mox.conf").write_text(
            "DataDir: data\nLogLevel: {level}\nHostname: localhost\nListeners: nil\n"
            "Postmaster:\n\tAccount: {account}\n\tMailbox: Inbox\n".format(**values))
        (folder / "domains.conf").write_text(
            "Domains:\n\tlocalhost: nil\nAccounts:\n\talice:\n\t\tDomain: localhost\n")

    # help

    def test_without_arguments_it_explains_itself_and_fails(self):
        self.check(self.mox(), 2, err="usage: mox")

    def test_help_goes_to_stdout(self):
        for args in (["help"], ["-help"], ["--help"]):
            self.check(self.mox(*args), 0, out="config test")

    def test_help_of_a_command_in_every_form(self):
        for args in (["help", "config", "test"], ["config", "test", "--help"],
                     ["-help", "config", "test"]):
            self.check(self.mox(*args), 0, out="usage: mox config test")

    def test_help_of_several_commands_is_a_line_for_each(self):
        result = self.mox("help", "config")
        self.check(result, 0, out="config describe-static")
        self.assertNotIn("usage", result.stdout)

    def test_every_command_has_help_that_fits_a_terminal(self):
        overview = self.mox("help").stdout
        commands = [line[2:26].strip() for line in overview.splitlines()
                    if line.startswith("  ") and not line.startswith("  -")]
        self.assertIn("version", commands)
        for words in commands:
            result = self.mox("help", *words.split())
            self.check(result, 0, out="usage: mox " + words)
            for line in result.stdout.splitlines():
                self.assertLessEqual(len(line), 100, line)

    def test_man_page_is_well_formed(self):
        result = self.mox("help", "-man")
        self.check(result, 0, out=".SH SYNOPSIS")
        if shutil.which("groff") is None:
            self.skipTest("no groff to check the man page with")
        groff = subprocess.run(["groff", "-man", "-ww", "-Tutf8"], input=result.stdout, text=True,
                               capture_output=True)
        self.assertEqual(groff.stderr, "")

    def test_bash_completes_commands_and_flags(self):
        script = self.dir / "completion"
        script.write_text(self.mox("help", "-bash").stdout)
        for words, expected in ((["mox", "conf"], ["config"]), (["mox", "config", "t"], ["test", "tlspubkey"]),
                                (["mox", "config", "tlspubkey", "r"], ["rm"]),
                                (["mox", "help", "config", "tlspubkey", "g"], ["get"]),
                                (["mox", "-dir", "x", "sto"], ["stop"]),
                                (["mox", "stop", "-di"], ["-dir"])):
            line = 'source {}; COMP_WORDS=({}); COMP_CWORD={}; _mox; echo "${{COMPREPLY[@]}}"'
            out = subprocess.run(["bash", "-c", line.format(script, " ".join(words),
                                                            len(words) - 1)],
                                 capture_output=True, text=True)
            self.assertEqual(out.stdout.split(), expected, out)

    # arguments

    def test_unknown_commands_and_flags_are_usage_errors(self):
        self.check(self.mox("nonsense"), 2, err='unknown command "nonsense"')
        self.check(self.mox("help", "nonsense"), 2, err='unknown command "nonsense"')
        self.check(self.mox("-nonsense", "version"), 2, err="unknown flag -nonsense")
        self.check(self.mox("version", "--nonsense=x"), 2, err="unknown flag -nonsense")

    def test_a_prefix_of_commands_lists_their_usage(self):
        result = self.mox("config")
        self.check(result, 2, err="  mox config test\n")
        self.assertIn("mox config describe-domains", result.stderr)
        self.check(self.mox("config", "nonsense"), 2, err="mox config test")

    def test_argument_counts_are_checked(self):
        self.check(self.mox("version", "x"), 2, err="too many arguments")
        self.check(self.mox("setaccountpassword"), 2, err="an argument is missing")
        self.check(self.mox("setaccountpassword"), 2, err="usage: mox setaccountpassword account")

    def test_flags_may_stand_anywhere_with_one_or_two_dashes(self):
        self.write_config(self.dir / "c")
        for args in (["-dir", "c", "config", "test"], ["config", "test", "--dir", "c"],
                     ["--dir=c", "config", "test"], ["config", "test", "-dir=c"],
                     ["-config", "c/mox.conf", "config", "test"],
                     ["-dir", "nonsense", "config", "test", "-dir", "c"],
                     ["-dir", "c", "--", "config", "test"], ["config", "test", "-dir=c", "--"]):
            self.check(self.mox(*args), 0, out="config OK\n")

    def test_after_two_dashes_there_are_no_flags(self):
        self.check(self.mox("version", "--", "-help"), 2, err='too many arguments, from "-help" on')

    def test_flags_need_their_values(self):
        self.check(self.mox("version", "-dir"), 2, err="flag -dir needs a value")
        self.check(self.mox("version", "-help=maybe"), 2, err="true or false")
        self.check(self.mox("version", "-help=false"), 0, out="mox ")
        self.check(self.mox("junk", "train", "-one-grams", "false", "ham", "spam"), 2,
                   err="true or false is joined to its flag: -one-grams=false")
        self.check(self.mox("junk", "train", "-one-grams=false", "ham", "spam", "more"), 2, err='from "more" on')

    def test_log_levels_of_the_flag_are_checked(self):
        self.check(self.mox("-loglevel", "loud", "version"), 2, err='unknown log level "loud"')
        self.check(self.mox("-loglevel", "debug,store=trace", "version"), 0, out="mox ")
        self.check(self.mox("-loglevel", "smptserver=trace", "version"), 2, err='no package "smptserver"; packages are main, ')

    def test_all_packages_of_the_log_are_known(self):
        found = set()
        for path in (pathlib.Path(__file__).parents[2] / "lib").rglob("*.[ch]"):
            found.update(re.findall(r'MOX_LOG_[A-Z]+,\s*"([a-z]+)",|PKG\s+"([a-z]+)"|pkg = "([a-z]+)"', path.read_text()))
        names = {name for match in found for name in match if name}
        self.assertLessEqual({"main", "smtpserver", "imapserver", "dnsbl"}, names)
        described = self.mox("help", "loglevels").stdout
        for name in names:
            self.check(self.mox("-loglevel", f"{name}=debug", "version"), 0)
            self.assertRegex(described, rf"\b{name}[,.]")

    def test_lost_results_are_a_failure(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        with open("/dev/full", "w") as full:
            result = subprocess.run([MOX, "version"], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(result.returncode, 1)

    # config

    def test_config_comes_from_the_environment_and_the_usual_places(self):
        self.check(self.mox("config", "test"), 1, err=".config/mox-localserve/mox.conf")
        self.write_config(self.dir / "home/.config/mox-localserve")
        self.check(self.mox("config", "test"), 0, out="config OK")
        self.write_config(self.dir / "config", level="loud")
        self.check(self.mox("config", "test"), 1, err="config/mox.conf:2: ")
        env = {"XDG_CONFIG_HOME": str(self.dir / "xdg")}
        self.write_config(self.dir / "env")
        self.check(self.mox("config", "test", env={"MOXCONF": "env/mox.conf"}), 0)
        shutil.rmtree(self.dir / "config")
        self.check(self.mox("config", "test", env=env), 1, err="xdg/mox-localserve/mox.conf")
        self.check(self.mox("config", "test", "-dir", "a", "-config", "b"), 2, err="exclude")

    def test_one_mistake_stands_alone_and_several_are_a_list(self):
        self.write_config(self.dir / "c", level="loud")
        self.check(self.mox("config", "test", "-dir", "c"), 1, err="mox: c/mox.conf:2: ")
        self.write_config(self.dir / "c", level="loud", account="eve")
        result = self.mox("config", "test", "-dir", "c")
        self.check(result, 1, err="multiple errors:\n- c/mox.conf:2: ")
        self.assertIn("- c/mox.conf:6: ", result.stderr)

    def test_mistakes_in_rules_are_shown_with_their_lines(self):
        self.write_config(self.dir / "c")
        (self.dir / "c/domains.conf").write_text(
            "Domains:\n\tlocalhost:\n\t\tAliases:\n\t\t\tteam:\n\t\t\t\tAddresses:\n"
            "\t\t\t\t\t- eve@localhost\n"
            "Accounts:\n\talice:\n\t\tDomain: localhost\n\t\tRejectsMailbox: Inbox\n"
            "\t\tDestinations:\n\t\t\talice@localhost:\n\t\t\t\tRulesets:\n\t\t\t\t\t-\n"
            "\t\t\t\t\t\tMsgFromRegexp: (?=x)\n\t\t\t\t\t\tMailbox: X\n")
        result = self.mox("config", "test", "-dir", "c")
        self.check(result, 1, err="- c/domains.conf:6: member \"eve@localhost\" of alias")
        self.assertIn("- c/domains.conf:10: this cannot be Inbox", result.stderr)
        self.assertIn("- c/domains.conf:15: bad expression, at character 1: look-ahead", result.stderr)

    def test_testing_changes_nothing(self):
        self.write_config(self.dir / "c")
        before = sorted(p.name for p in (self.dir / "c").iterdir())
        self.check(self.mox("config", "test", "-dir", "c"), 0)
        self.assertEqual(sorted(p.name for p in (self.dir / "c").iterdir()), before)

    def test_described_files_name_every_part(self):
        self.check(self.mox("config", "describe-static"), 0, out="\t\tSubmissions:\n")
        self.check(self.mox("config", "describe-domains"), 0, out="\t\tDestinations:\n")
        self.check(self.mox("config", "describe-domains"), 0, out="\t\t\tTopWords: 10\n")

    # data

    def test_verifydata_needs_a_data_directory(self):
        self.check(self.mox("verifydata", "nowhere"), 1, err="nowhere")
        self.check(self.mox("verifydata", "-dir", "nowhere"), 1, err="no nowhere/mox.conf")
        self.check(self.mox("verifydata", "a", "b"), 2, err="too many arguments")

    @unittest.skipIf(os.geteuid() != 0, "only root may give files away")
    def test_verifydata_of_another_user_is_not_for_root(self):
        accounts = self.dir / "data/accounts"
        accounts.mkdir(parents=True)
        os.chown(accounts, 65534, 65534)
        self.check(self.mox("verifydata", "data"), 1, err="run the command as that user, or verify a copy of it")
        self.assertEqual(os.listdir(self.dir / "data"), ["accounts"])

    # localserve

    def test_localserve_checks_its_flags(self):
        for value in ("0", "-1", "x", "1x", "64001", "99999999999999999999"):
            self.check(self.mox("localserve", "-port-base", value), 2, err="-port-base is a number")
        self.check(self.mox("localserve", "-dir="), 2, err="-dir is empty")
        self.check(self.mox("localserve", "-config", "c/mox.conf"), 2, err="name its folder with -dir, not -config")
        self.check(self.mox("localserve", "x"), 2, err="too many arguments")

    def test_localserve_makes_its_folder_in_the_default_place(self):
        result = self.mox("localserve", "-initonly")
        self.assertEqual(result.returncode, 0, result)
        self.assertTrue((self.dir / "home/.config/mox-localserve/domains.conf").exists())
        self.check(self.mox("config", "test"), 0, out="config OK")
        self.check(self.mox("verifydata"), 0)

    def test_what_changes_the_default_folder_names_it(self):
        self.assertEqual(self.mox("localserve", "-initonly").returncode, 0)
        (self.dir / "box").write_text("From a@example.org Sun Jan 23 20:41:55 2022\nSubject: a\n\none\n")
        default = str(self.dir / "home/.config/mox-localserve")
        for args in (["import", "mbox", "mox", "Archive", "box"], ["retrain"]):
            result = self.mox(*args)
            self.assertEqual(result.returncode, 0, result)
            self.assertIn(f"using {default}/mox.conf, that of mox localserve", result.stderr)
            self.check(self.mox(*args, "-dir", default), 0)

    def serve(self, *flags):
        """A server on free ports, once it is ready."""
        for _ in range(20):
            base = free_base()
            err = open(self.dir / "err", "w+")
            process = subprocess.Popen(
                [MOX, "localserve", "-dir", self.dir / "l", "-port-base", str(base), *flags],
                stdout=open(self.dir / "out", "w"), stderr=err)
            self.addCleanup(lambda: process.poll() is None and process.kill())
            for _ in range(PATIENCE * 20):
                log = (self.dir / "err").read_text()
                if "m=ready" in log or process.poll() is not None:
                    break
                time.sleep(0.05)
            if "m=ready" in log:
                return process, base
            self.assertIn("-port-base", log)  # a port was taken: others may be free
        self.fail("no free ports")

    def test_localserve_is_commanded_through_its_socket(self):
        process, base = self.serve("-transcript")
        try:
            self.check(self.mox("loglevels", "-dir", "l"), 0, out="(default): info\n")
            self.check(self.mox("loglevels", "-dir", "l", "debug", "imapserver"), 0)
            self.check(self.mox("loglevels", "-dir", "l"), 0, out="imapserver: debug\n")
            self.check(self.mox("setaccountpassword", "-dir", "l", "nobody",
                                stdin="long enough\n"), 1, err="nobody")
            for who in ("mox", "mox@localhost"):
                self.check(self.mox("setaccountpassword", "-dir", "l", who,
                                    stdin="password of " + who), 0)
                with imaplib.IMAP4("127.0.0.1", base + 143) as imap:
                    imap.login("mox@localhost", "password of " + who)
            self.check(self.mox("verifydata", "-dir", "l"), 1, err="stop")
        finally:
            result = self.mox("stop", "-dir", "l")
        self.check(result, 0)
        self.assertEqual(process.wait(PATIENCE), 0)
        self.check(self.mox("stop", "-dir", "l"), 1, err="no server is running")
        self.check(self.mox("verifydata", "-dir", "l"), 0)
        transcript = (self.dir / "out").read_text()
        self.assertIn("LOGIN", transcript)
        self.assertNotIn("password of", transcript)

    def test_pedantic_refuses_what_is_usually_tolerated(self):
        for flags, code in (([], b"250"), (["-pedantic"], b"501")):
            process, base = self.serve(*flags)
            with socket.create_connection(("127.0.0.1", base + 25), PATIENCE) as c, c.makefile("rb") as f:
                f.readline()
                c.sendall(b"HELO localhost\r\n")
                f.readline()
                c.sendall(b"MAIL FROM: <a@example.org>\r\n")
                self.assertEqual(f.readline()[:3], code)
            self.check(self.mox("stop", "-dir", "l"), 0)
            process.wait(PATIENCE)

    def test_a_new_account_has_the_mailboxes_of_the_configuration(self):
        folder = self.dir / "l"
        self.assertEqual(self.mox("localserve", "-initonly", "-dir", folder).returncode, 0)
        for file, text in (("mox.conf", "InitialMailboxes:\n\tSpecialUse:\n\t\tSent: Gesendet\n"
                                        "\tRegular:\n\t\t- Projekte\n"),
                           ("domains.conf", "\tbob:\n\t\tDomain: localhost\n\t\tDestinations:\n"
                                            "\t\t\tbob@localhost: nil\n")):
            with open(folder / file, "a") as f:
                f.write(text)
        process, base = self.serve()
        self.check(self.mox("setaccountpassword", "-dir", "l", "bob", stdin="long enough"), 0)
        with imaplib.IMAP4("127.0.0.1", base + 143) as imap:
            imap.login("bob@localhost", "long enough")
            lines = [line.decode() for line in imap.list()[1]]
        self.check(self.mox("stop", "-dir", "l"), 0)
        process.wait(PATIENCE)
        self.assertEqual(sorted(line.split()[-1] for line in lines),
                         ["Gesendet", "Inbox", "Projekte"])
        self.assertTrue(any("\\Sent" in x and "Gesendet" in x for x in lines), lines)

    def test_the_exit_code_names_the_signal(self):
        process, _ = self.serve("-loglevel", "error,main=info")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), signal.SIGTERM)

    # control

    def control(self, replies, greeting="ctlv0\n"):
        self.write_config(self.dir / "c")
        data = self.dir / "c" / "data"
        data.mkdir(exist_ok=True)
        control = ControlSocket(data, replies, greeting)
        self.addCleanup(control.close)
        return control

    def test_without_a_server_the_error_says_so(self):
        self.write_config(self.dir / "c")
        for args in (["stop"], ["loglevels"], ["setaccountpassword", "alice"]):
            self.check(self.mox(*args, "-dir", "c"), 1,
                       err="no server is running for c/data")
        self.check(self.mox("stop", "-dir", "nowhere"), 1, err="no nowhere/mox.conf")

    def test_stop_waits_for_the_end(self):
        control = self.control([(1, "")])
        self.check(self.mox("stop", "-dir", "c"), 0)
        self.assertEqual(control.got, ["stop"])

    def test_stop_works_with_a_broken_configuration(self):
        self.control([(1, "")])
        (self.dir / "c" / "domains.conf").write_text("broken")
        self.check(self.mox("stop", "-dir", "c"), 0)

    def test_log_levels_are_shown_and_set(self):
        self.control([(1, "ok\n16\n(default): info\n"), (1, "0\n")])
        result = self.mox("loglevels", "-dir", "c")
        self.check(result, 0)
        self.assertEqual(result.stdout, "(default): info\n")

    def test_a_level_goes_to_the_server(self):
        control = self.control([(3, "ok\n")])
        self.check(self.mox("loglevels", "-dir", "c", "debug", "store"), 0)
        self.assertEqual(control.got, ["setloglevels", "store", "debug"])

    def test_a_package_that_there_is_not_is_a_mistake(self):
        self.write_config(self.dir / "c")
        for name in ("smptserver", "store, junk", "stor", "main,"):
            self.check(self.mox("loglevels", "-dir", "c", "trace", name), 2, err="; packages are main, smtpserver, ")

    def test_an_empty_level_is_an_argument(self):
        control = self.control([(3, "ok\n")])
        self.check(self.mox("loglevels", "", "store", "-dir", "c"), 0)
        self.assertEqual(control.got, ["setloglevels", "store", ""])

    def test_the_servers_refusal_is_shown(self):
        self.control([(3, "no such package\n")])
        self.check(self.mox("loglevels", "-dir", "c", "debug", "store"), 1,
                   err="mox: no such package\n")

    def test_another_version_is_told(self):
        self.control([], greeting="ctlv7\n")
        self.check(self.mox("stop", "-dir", "c"), 1, err='"ctlv7"')

    def test_a_password_is_one_line_of_stdin(self):
        for stdin in ("long enough\n", "long enough\r\n", "long enough", "long enough\nmore\n"):
            control = self.control([(3, "ok\n")])
            self.check(self.mox("setaccountpassword", "-dir", "c", "alice@localhost",
                                stdin=stdin), 0)
            self.assertEqual(control.got, ["setaccountpassword", "alice@localhost", "long enough"])
            control.close()
            (self.dir / "c" / "data" / "ctl").unlink()

    def test_short_and_endless_passwords_are_refused(self):
        for stdin, err in (("short\n", "fewer than 8 bytes"), ("", "fewer than 8 bytes"),
                           ("x" * 5000, "longer than")):
            control = self.control([])
            self.check(self.mox("setaccountpassword", "-dir", "c", "alice", stdin=stdin), 1,
                       err=err)
            control.close()
            (self.dir / "c" / "data" / "ctl").unlink()

    def ask(self, *typed):
        """Types on a terminal; returns the exit code and what was seen."""
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.dir)
            os.execv(MOX, [MOX, "setaccountpassword", "-dir", "c", "alice"])
        seen = b""
        for prompt, text in zip((b"Password: ", b"Again: "), typed):
            while prompt not in seen:
                seen += os.read(fd, 1000)
            os.write(fd, text)
        try:
            while chunk := os.read(fd, 1000):
                seen += chunk
        except OSError:
            pass  # the terminal is gone
        os.close(fd)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen

    def test_on_a_terminal_the_password_is_asked_twice_and_not_shown(self):
        control = self.control([(3, "ok\n")])
        code, seen = self.ask(b"long enough\n", b"long enough\n")
        self.assertEqual(code, 0, seen)
        self.assertNotIn(b"enough", seen)
        self.assertEqual(control.got[2], "long enough")

    def test_two_different_passwords_change_nothing(self):
        self.control([])
        code, seen = self.ask(b"long enough\n", b"long enuogh\n")
        self.assertEqual(code, 1)
        self.assertIn(b"the passwords differ", seen)

    def test_control_c_aborts(self):
        self.control([])
        code, seen = self.ask(b"long\x03")
        self.assertEqual(code, 1)
        self.assertIn(b"aborted", seen)


if __name__ == "__main__":
    unittest.main(verbosity=2)
