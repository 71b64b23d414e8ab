/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "help.h"

/* Text for man(7): a hyphen that is typed is \-, and no line starts as a request. */
static void text(FILE *out, const char *s)
{
    for (bool start = true; *s != '\0'; start = *s++ == '\n') {
        if (start && (*s == '.' || *s == '\''))
            (void)fputs("\\&", out);
        if (*s == '-')
            (void)fputs("\\-", out);
        else if (*s == '\\')
            (void)fputs("\\e", out);
        else
            (void)fputc(*s, out);
    }
}

/* Paragraphs; an indented one is an example, shown as it is. */
static void paragraphs(FILE *out, const char *s)
{
    while (*s != '\0') {
        const char *end = strstr(s, "\n\n");
        size_t len = end == NULL ? strlen(s) : (size_t)(end - s);
        char one[2048];
        bool example = *s == ' ';
        (void)snprintf(one, sizeof one, "%.*s", (int)len, s);
        (void)fputs(example ? ".PP\n.EX\n" : ".PP\n", out);
        text(out, one);
        (void)fputs(example ? "\n.EE\n" : "\n", out);
        s += len + (end == NULL ? 0 : 2);
    }
}

static void flags(FILE *out, const struct flag *f)
{
    for (; f != NULL && f->name != NULL; f++) {
        if (f->help == NULL)
            continue;
        (void)fputs(".TP\n.B \\-", out);
        text(out, f->name);
        if (f->value != NULL) {
            (void)fputs(" \\fI", out);
            text(out, f->value);
            (void)fputs("\\fR", out);
        }
        (void)fputc('\n', out);
        text(out, f->help);
        (void)fputc('\n', out);
    }
}

static void command(FILE *out, const struct command *c)
{
    (void)fputs(".SS \"mox ", out);
    text(out, c->words);
    if (*c->args != '\0') {
        (void)fputc(' ', out);
        text(out, c->args);
    }
    (void)fputs("\"\n", out);
    paragraphs(out, c->help);
    flags(out, c->flags);
}

void help_man(FILE *out)
{
    (void)fputs(".\\\" Made by mox help -man from the table of commands.\n"
                ".TH MOX 1 \"\" \"mox " MOX_VERSION "\" \"User Commands\"\n"
                ".SH NAME\n"
                "mox \\- a mail server for those who develop programs that send or read mail\n"
                ".SH SYNOPSIS\n"
                ".B mox\n"
                "[\\fIflags\\fR] \\fIcommand\\fR [\\fIflags\\fR] [\\fIarguments\\fR]\n"
                ".SH DESCRIPTION\n"
                "Flags are written with one or two dashes, with their value behind a space or an\n"
                "equals sign, before or behind the arguments. What follows \\-\\- is no flag. One that is there or\n"
                "not may be turned off: \\-one\\-grams=false.\n"
                "Results are written to standard output, problems to standard error.\n"
                ".SS Flags of all commands\n", out);
    flags(out, global_flags);
    for (size_t g = 0; g < command_group_count; g++) {
        (void)fputs(".SH \"", out);
        for (const char *s = command_groups[g]->title; *s != '\0'; s++)
            (void)fputc(*s >= 'a' && *s <= 'z' ? *s - 'a' + 'A' : *s, out);
        (void)fputs("\"\n", out);
        for (size_t i = 0; i < command_groups[g]->count; i++)
            command(out, &command_groups[g]->commands[i]);
    }
    help_man_topics(out);
    (void)fputs(".SH ENVIRONMENT\n"
                ".TP\n.B MOXCONF\n"
                "Path of mox.conf, when neither \\-config nor \\-dir is given; not for \\fBmox localserve\\fR.\n"
                ".TP\n.B XDG_CONFIG_HOME\n"
                "Where the default folder of \\fBmox localserve\\fR is made; ~/.config when unset.\n"
                ".SH EXIT STATUS\n"
                "0 when all went well, 1 when the command failed, 2 when it was not understood. A server that a\n"
                "signal has stopped, in order, exits with the signal's number: 15 for SIGTERM, 2 for SIGINT. After\n"
                "\\fBmox stop\\fR it is 0. For systemd(1): SuccessExitStatus=15.\n",
                out);
}
