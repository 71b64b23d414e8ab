/* SPDX-License-Identifier: MIT */
#include "help.h"

/* What the man page says of a running server beyond its commands. */

static const char log_section[] =
    ".SH LOG\n"
    "A server logs to standard error, a line for each event:\n"
    ".PP\n.EX\n"
    "l=info m=\"new connection\" pkg=smtpserver cid=19a7 delta=12us remote=192.0.2.1 \\&...\n"
    ".EE\n.PP\n"
    "A value is quoted when it has spaces, quotes, = or anything that is no plain character, whoever it\n"
    "comes from. Each line of a connection has its number (cid), the time since its last line (delta) and,\n"
    "once somebody has logged in, who (username).\n"
    ".PP\n"
    "Levels, each with those before it:\n"
    ".TP\n.B error, warn\nWhat needs somebody, and what may.\n"
    ".TP\n.B info\nConnections, logins, deliveries, timeouts.\n"
    ".TP\n.B debug\nResults of commands, ends of connections, clients that speak another protocol.\n"
    ".TP\n.B trace\nEvery line of the dialogues, RC: of the remote client and LS: of the local server. Whatever is "
    "said to log in is ***, and content of messages is ..., with their sizes.\n"
    ".TP\n.B traceauth\nPasswords too.\n"
    ".TP\n.B tracedata\nMessages too.\n"
    ".PP\n"
    "Packages, each of which may have a level of its own: main, smtpserver, imapserver, store, ctl, config.\n"
    "The levels of mox.conf (LogLevel, PackageLogLevels) count first, then \\fB\\-loglevel\\fR, then what\n"
    "\\fBmox loglevels\\fR changes, which holds from the next line on, for open sessions too.\n"
    ".PP\n"
    "\\fBmox localserve \\-transcript\\fR prints dialogues to standard output, for developers of programs that\n"
    "send or read mail: the first 4096 bytes of a message are shown, and passwords only if the log shows\n"
    "them.\n"
    ".PP\n"
    "A login that fails is one line, whatever the protocol and the way it fails. remote stands before all\n"
    "that the client chose; reason is badcreds, badprotocol, badchanbind, aborted, logindisabled or error:\n"
    ".PP\n.EX\n"
    "l=info m=\"failed authentication attempt\" pkg=imapserver cid=19a8 delta=81ms remote=192.0.2.1\n"
    "  protocol=imap mechanism=PLAIN user=a@x.example reason=badcreds\n"
    ".EE\n.PP\n"
    "The filter examples/fail2ban/mox.conf makes fail2ban(1) block such addresses.\n";

static const char metrics_section[] =
    ".SH METRICS\n"
    "\\fBmox metrics\\fR prints what the server counts, in the text format of Prometheus. Labels are words of\n"
    "the server's own: unknown commands are one, and so are unknown alerts of TLS.\n"
    ".TP\n.B mox_smtpserver_connection_total{kind}, mox_imap_connection_total{service}\n"
    "Connections so far.\n"
    ".TP\n.B mox_connections_count{protocol, listener}, mox_connections_refused_total{protocol, limit}\n"
    "Connections that are open, and those that a limit of their address or network kept out.\n"
    ".TP\n.B mox_smtpserver_not_smtp_total, mox_imap_not_imap_total, mox_tls_not_tls_total{pkg}\n"
    "Connections that spoke another protocol.\n"
    ".TP\n.B mox_smtpserver_command_duration_seconds{kind, cmd, code, ecode}\n"
    "From an SMTP command to each of its replies.\n"
    ".TP\n.B mox_imap_command_duration_seconds{cmd, result}\n"
    "From an IMAP command to its result: ok, usererror, badsyntax, servererror, ioerror.\n"
    ".TP\n.B mox_spf_verify_duration_seconds{status}, mox_dkim_verify_duration_seconds{algorithm, status}, "
    "mox_dmarc_verify_duration_seconds{status, reject, use}, mox_iprev_lookup_total{status}\n"
    "What checks of senders found, and how long all checks of the message took.\n"
    ".TP\n.B mox_smtpserver_delivery_total{result, reason}, mox_smtpserver_submission_total{result}\n"
    "Incoming messages for each recipient, with the word that X\\-Mox\\-Reason has, and messages of users.\n"
    ".TP\n.B mox_dnsbl_lookup_duration_seconds{zone, status}, mox_smtpserver_errors_total{error}\n"
    "Lists of blocked addresses that were asked, and messages to senders that could not be made.\n"
    ".TP\n.B mox_smtpserver_delivery_starttls_total, mox_smtpserver_delivery_starttls_errors_total{reason}\n"
    "STARTTLS of other servers, and handshakes that failed.\n"
    ".TP\n.B mox_authentication_total{kind, variant, result}, mox_authentication_ratelimited_total{kind}\n"
    "Logins by mechanism, and those that were refused after too many that failed.\n"
    ".TP\n.B mox_store_commit_writes, mox_store_commit_duration_seconds, mox_store_commit_errors_total\n"
    "Transactions of the accounts: how many writes each made durable, and how long it took.\n"
    ".TP\n.B mox_logging_level_error_total{pkg}, mox_logging_level_warn_total{pkg}, mox_logging_level_info_total{pkg}\n"
    "Lines of the log, whether they were written or not.\n"
    ".TP\n.B process_start_time_seconds, process_cpu_seconds_total, process_resident_memory_bytes, "
    "process_virtual_memory_bytes, process_open_fds, process_max_fds, process_threads\n"
    "What the process takes.\n";

void help_man_topics(FILE *out)
{
    (void)fputs(log_section, out);
    (void)fputs(metrics_section, out);
}
