/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interrupt.h"
#include "lines.h"
#include "offline.h"
#include "place.h"

/* Mail of other programs: the running server imports it, and without one the data directory is ours. */

/* What is written over by the next line of progress, on a terminal. */
static void show_progress(unsigned long long messages)
{
    if (isatty(STDERR_FILENO))
        (void)fprintf(stderr, "\r\033[K%llu messages", messages);
}

static void hide_progress(void)
{
    if (isatty(STDERR_FILENO))
        (void)fputs("\r\033[K", stderr);
}

static void show_warning(const char *text)
{
    hide_progress();
    (void)fprintf(stderr, "mox: warning: %s\n", text);
}

static enum exit_code show_end(const struct cli *cli, unsigned long long messages)
{
    hide_progress();
    (void)printf("imported %llu message%s into %s of account %s\n", messages,
                 messages == 1 ? "" : "s", cli->args[1], cli->args[0]);
    return EXIT_OK;
}

/* ---- through the server ---- */

struct told {
    const struct cli *cli;
    bool ended;
    enum exit_code code;
};

static void take_line(void *user, char *line)
{
    struct told *t = user;
    char *f[2];
    if (lines_split(line, f, 2) != 2)
        return;
    if (strcmp(f[0], "progress") == 0) {
        show_progress(lines_number(f[1]));
    } else if (strcmp(f[0], "warning") == 0) {
        show_warning(f[1]);
    } else if (strcmp(f[0], "done") == 0) {
        t->code = show_end(t->cli, lines_number(f[1]));
        t->ended = true;
    } else if (strcmp(f[0], "failed") == 0) {
        hide_progress();
        t->code = cli_fail("%s; nothing was imported", f[1]);
        t->ended = true;
    }
}

static enum exit_code ask_server(const struct cli *cli, struct mox_ctl_client *client,
                                 const char *command, const char *path)
{
    const char *const params[] = {command, cli->args[0], cli->args[1], path,
                                  cli_has(cli, "recursive") ? "recursive" : ""};
    struct told told = {.cli = cli, .code = EXIT_FAILED};
    struct lines lines = {.each = take_line, .user = &told};
    enum exit_code code =
        place_talk(client, params, sizeof params / sizeof params[0], lines_take, &lines);
    if (code == EXIT_OK && !told.ended)
        return cli_fail("the server did not finish; nothing was imported");
    return code == EXIT_OK ? told.code : code;
}

/* ---- without one ---- */

static int progress(void *user, const struct mox_import *i)
{
    unsigned long long *shown = user;
    if (i->messages - *shown >= 1000) {
        *shown = i->messages;
        show_progress(i->messages);
    }
    return interrupt_seen() ? MOX_EREFUSED : 0;
}

static void warn(void *user, const char *text)
{
    (void)user;
    show_warning(text);
}

static enum exit_code import_directly(const struct cli *cli, enum mox_mailfile_kind kind,
                                      const char *path)
{
    struct offline o;
    struct mox_error err = {0};
    unsigned long long shown = 0;
    struct mox_import i = {.size = sizeof i,
                           .kind = kind,
                           .path = path,
                           .mailbox = cli->args[1],
                           .recursive = cli_has(cli, "recursive"),
                           .progress = progress,
                           .warn = warn,
                           .user = &shown};
    enum exit_code code = offline_open(&o, cli, cli->args[0], MOX_ACCOUNT_CREATE);
    if (code == EXIT_OK) {
        place_tell_default(cli);
        interrupt_catch();
        int rc = mox_account_import(o.account, &i, &err);
        hide_progress();
        if (rc == MOX_OK)
            code = show_end(cli, i.messages);
        else
            code = cli_fail("%s; nothing was imported",
                            *err.text != '\0' ? err.text : mox_status_text(rc));
    }
    offline_close(&o);
    return code;
}

/* ---- the commands ---- */

/* The server has a working directory of its own. */
static enum exit_code absolute(const char *path, char out[PATH_MAX])
{
    char here[PATH_MAX] = "";
    if (*path != '/' && getcwd(here, sizeof here) == NULL)
        return cli_fail("cannot tell the current folder: %s", strerror(errno));
    int len = snprintf(out, PATH_MAX, "%s%s%s", here, *here == '\0' ? "" : "/", path);
    return len > 0 && len < PATH_MAX ? EXIT_OK : cli_fail("the path %s is too long", path);
}

static enum exit_code run(const struct cli *cli, enum mox_mailfile_kind kind, const char *command)
{
    char path[PATH_MAX];
    struct mox_ctl_client *client = NULL;
    enum exit_code code = absolute(cli->args[2], path);
    if (code == EXIT_OK)
        code = place_find_server(cli, &client);
    if (code != EXIT_OK)
        return code;
    return client != NULL ? ask_server(cli, client, command, path)
                          : import_directly(cli, kind, path);
}

static enum exit_code run_maildir(struct cli *cli)
{
    return run(cli, MOX_MAILFILE_MAILDIR, "importmaildir");
}

static enum exit_code run_mbox(struct cli *cli)
{
    return run(cli, MOX_MAILFILE_MBOX, "importmbox");
}

static const struct flag maildir_flags[] = {
    {"recursive", NULL, "its folders too (.Sub.Folder), as mailboxes below the one named"},
    {NULL, NULL, NULL},
};

#define ALL_OR_NOTHING                                                                             \
    "Messages become visible together, in the end; when something fails, or it is interrupted,\n"  \
    "nothing is left of it. Importing the same again gives all messages twice. The mailbox is "    \
    "made if\n"                                                                                    \
    "it does not exist. The junk filter learns from what comes into a mailbox that says what is "  \
    "junk\n"                                                                                       \
    "(AutomaticJunkFlags), and addresses of mail in a mailbox for sent mail are known from then "  \
    "on.\n"                                                                                        \
    "\n"                                                                                           \
    "The running server reads the files, while mail comes and goes: they, and the folders above\n"  \
    "them, must be readable for the user that it runs as. Without a server, mox has the data\n"     \
    "directory to itself meanwhile. No message may have more than 512 MiB,\n"                       \
    "and 64 MiB of the disk stay free. Of keywords a mailbox has 64; others are left out.\n"       \
    "\n"

static const struct command commands[] = {
    {.words = "import maildir",
     .args = "account mailbox path",
     .summary = "import a maildir into a mailbox",
     .help = "Imports the messages of a maildir, new and cur, with their flags, the keywords that\n"
             "dovecot-keywords names, and the times at which they were received. Symbolic links in it are\n"
             "not followed, for they may lead to files that are not its owner's.\n"
             "\n"
             "With -recursive, .Sub.Folder becomes the mailbox Sub/Folder below the one named. A folder whose\n"
             "own name is one for junk (JunkMailboxRegexp of AutomaticJunkFlags: .Junk) has junk, though its\n"
             "mailbox, old/Junk, may be of another kind.\n"
             "\n" ALL_OR_NOTHING "    mox import maildir alice Inbox /home/alice/Maildir\n"
             "    mox import maildir -recursive alice old /home/alice/Maildir",
     .flags = maildir_flags,
     .min_args = 3,
     .max_args = 3,
     .run = run_maildir},
    {.words = "import mbox",
     .args = "account mailbox path",
     .summary = "import an mbox file into a mailbox",
     .help = "Imports the messages of an mbox file. A message begins at a line \"From \" at the "
             "start or\n"
             "behind an empty line; lines with \">From \" lose one \">\". Flags and keywords are "
             "those of the\n"
             "header fields Status, X-Status and X-Keywords; a message was received when its line "
             "\"From \"\n"
             "says, or its Date. Content-Length is not looked at.\n"
             "\n" ALL_OR_NOTHING "    mox import mbox alice Archive /home/alice/2019.mbox",
     .min_args = 3,
     .max_args = 3,
     .run = run_mbox},
};

const struct command_group import_group = {"Import", commands,
                                           sizeof commands / sizeof commands[0]};
