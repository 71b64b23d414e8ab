/* SPDX-License-Identifier: MIT */
#include "command.h"
#include "dkim.h"
#include "names.h"
#include "when.h"

/* Signatures of domains under messages (RFC 6376): keys, signing, verifying. */

static const struct flag out_flags[] = {
    {"out", "file", "write the private key to a new file that nobody else may read"},
    {NULL, NULL, NULL},
};

static const struct flag rsa_flags[] = {
    {"out", "file", "write the private key to a new file that nobody else may read"},
    {"bits", "number", "size of the key, 1024 to 4096; default 2048"},
    {NULL, NULL, NULL},
};

static const struct flag txt_flags[] = {
    {"hash", "sha256", "say that signatures with other hashes are none"},
    {"raw", NULL, "the record's text alone, as a file for -zone has it"},
    {NULL, NULL, NULL},
};

static const struct flag sign_flags[] = {
    {"domain", "name", "the domain that signs (d=); needed"},
    {"selector", "name", "where below _domainkey its key is published (s=); needed"},
    {"key", "file", "the private key in PEM, - for standard input; needed"},
    {"identity", "address", "who in the domain signs (i=)"},
    {"canon", "header/body", "simple or relaxed for each; default relaxed/relaxed"},
    {"headers", "names", "the fields to sign, with colons between; default the usual ones"},
    {"no-seal", NULL, "let fields of the signed names be added later"},
    {"expires", "hours", "after how long the signature is none any more (x=)"},
    {"message", NULL, "print the whole signed message, with CRLF"},
    WHEN_FLAG,
    {NULL, NULL, NULL},
};

static const struct flag verify_flags[] = {
    CLI_NAMES_FLAGS,
    {"json", NULL, "one JSON object instead of lines"},
    WHEN_FLAG,
    {NULL, NULL, NULL},
};

static const struct flag lookup_flags[] = {
    CLI_NAMES_FLAGS,
    {NULL, NULL, NULL},
};

static const struct command commands[] = {
    {.words = "dkim gened25519",
     .args = "",
     .summary = "make an Ed25519 key to sign with",
     .help =
         "Prints a new private key (RFC 8463) in PEM, PKCS#8. Its DNS record is said on standard "
         "error,\n"
         "and again by mox dkim txt. Not all receivers know Ed25519: sign with RSA too.\n"
         "\n"
         "    mox dkim gened25519 --out 2026a.pem",
     .flags = out_flags,
     .run = dkim_run_gened25519},
    {.words = "dkim genrsa",
     .args = "",
     .summary = "make an RSA key to sign with",
     .help =
         "Prints a new private key in PEM, PKCS#8. Its DNS record is said on standard error, and "
         "again\n"
         "by mox dkim txt.\n"
         "\n"
         "    mox dkim genrsa --out 2026b.pem",
     .flags = rsa_flags,
     .run = dkim_run_genrsa},
    {.words = "dkim txt",
     .args = "[key.pem]",
     .summary = "print the DNS record of a key",
     .help =
         "Prints the TXT record that publishes a private key's public half, for a zone file: in "
         "strings\n"
         "of at most 255 bytes. The name in front of it is <selector>._domainkey. Without a file, "
         "or with\n"
         "-, the key is read from standard input.\n"
         "\n"
         "    mox dkim txt 2026b.pem",
     .flags = txt_flags,
     .max_args = 1,
     .run = dkim_run_txt},
    {.words = "dkim sign",
     .args = "message.eml",
     .summary = "sign a message",
     .help =
         "Prints a DKIM-Signature field (RFC 6376) for the message, - for standard input. Lines "
         "of the\n"
         "message that end in LF alone are signed as sent, with CRLF. Each signed field is named "
         "once more\n"
         "than it is there, so that none can be added.\n"
         "\n"
         "    mox dkim sign --domain example.com --selector 2026b --key 2026b.pem mail.eml\n"
         "    mox dkim sign --domain example.com --selector 2026b --key 2026b.pem --message - "
         "<mail.eml",
     .flags = sign_flags,
     .min_args = 1,
     .max_args = 1,
     .run = dkim_run_sign},
    {.words = "dkim verify",
     .args = "message.eml",
     .summary = "judge the signatures of a message",
     .help =
         "Prints a line for each DKIM-Signature of the message, - for standard input: the result "
         "of RFC\n"
         "8601 (pass, fail, policy, neutral, temperror, permerror, none), whose signature it is, "
         "and what\n"
         "is wrong. Exit code 0 says that there is a verdict, whatever it is.\n"
         "\n"
         "    mox dkim verify --zone dns.tsv mail.eml\n"
         "    mox dkim verify --zone dns.tsv --json - <mail.eml | jq '.dkim[].result'",
     .flags = verify_flags,
     .min_args = 1,
     .max_args = 1,
     .run = dkim_run_verify},
    {.words = "dkim lookup",
     .args = "selector domain",
     .summary = "show the key record of a selector",
     .help = "Prints the TXT records at <selector>._domainkey.<domain>, and whether DNSSEC proves "
             "them.\n"
             "\n"
             "    mox dkim lookup --zone dns.tsv 2026b example.com",
     .flags = lookup_flags,
     .min_args = 2,
     .max_args = 2,
     .run = dkim_run_lookup},
};

const struct command_group dkim_group = {"Signatures of domains", commands,
                                         sizeof commands / sizeof commands[0]};
