/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "help.h"

/* Commands of all groups, one after the other; NULL behind the last. */
static const struct command *command_at(size_t n)
{
    for (size_t g = 0; g < command_group_count; g++) {
        if (n < command_groups[g]->count)
            return &command_groups[g]->commands[n];
        n -= command_groups[g]->count;
    }
    return NULL;
}

/* The words of a command behind `len` bytes of other words; NULL: it does not begin with them. */
static const char *rest_of(const struct command *c, const char *begin, size_t len)
{
    if (len == 0)
        return c->words;
    bool begins = strncmp(c->words, begin, len) == 0 && c->words[len] == ' ';
    return begins ? c->words + len + 1 : NULL;
}

/* Whether a command before the nth begins with these words. */
static bool came_before(size_t n, const char *begin, size_t len)
{
    for (size_t i = 0; i < n; i++) {
        const char *words = command_at(i)->words;
        if (strncmp(words, begin, len) == 0 && (words[len] == ' ' || words[len] == '\0'))
            return true;
    }
    return false;
}

/* What can come behind some words, each once. */
static void next_words(FILE *out, const char *begin, size_t len)
{
    const char *between = "", *rest;
    const struct command *c;
    for (size_t n = 0; (c = command_at(n)) != NULL; n++) {
        if ((rest = rest_of(c, begin, len)) == NULL)
            continue;
        size_t word = strcspn(rest, " ");
        if (came_before(n, c->words, (size_t)(rest - c->words) + word))
            continue;
        (void)fprintf(out, "%s%.*s", between, (int)word, rest);
        between = " ";
    }
}

/* A case for each beginning of a command. */
static void bash_next(FILE *out)
{
    const struct command *c;
    (void)fputs("    ''|help) next='", out);
    next_words(out, "", 0);
    (void)fputs("' ;;\n", out);
    for (size_t n = 0; (c = command_at(n)) != NULL; n++)
        for (const char *end = strchr(c->words, ' '); end != NULL; end = strchr(end + 1, ' ')) {
            size_t len = (size_t)(end - c->words);
            if (came_before(n, c->words, len))
                continue;
            (void)fprintf(out, "    '%.*s'|'help %.*s') next='", (int)len, c->words, (int)len,
                          c->words);
            next_words(out, c->words, len);
            (void)fputs("' ;;\n", out);
        }
}

static void bash_flags(FILE *out, const struct flag *f)
{
    for (; f != NULL && f->name != NULL; f++)
        if (f->help != NULL)
            (void)fprintf(out, " -%s", f->name);
}

/* A pattern of the flags that are followed by a value. */
static void flags_with_value(FILE *out, const struct flag *f, bool *first)
{
    for (; f != NULL && f->name != NULL; f++) {
        if (f->value == NULL)
            continue;
        (void)fprintf(out, "%s-%s|--%s", *first ? "" : "|", f->name, f->name);
        *first = false;
    }
}

void help_bash(FILE *out)
{
    bool first = true;
    (void)fputs("# bash completion for mox; made by mox help -bash from the table of commands.\n"
                "_mox()\n"
                "{\n"
                "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
                "    local words='' flags='", out);
    bash_flags(out, global_flags);
    (void)fputs("' w skip=''\n"
                "    case $prev in\n"
                "    -dir|--dir) COMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n"
                "    -config|--config) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
                "    esac\n"
                "    for w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
                "        if [[ $skip ]]; then skip=''; continue; fi\n"
                "        case $w in\n"
                "        ", out);
    flags_with_value(out, global_flags, &first);
    for (size_t g = 0; g < command_group_count; g++)
        for (size_t i = 0; i < command_groups[g]->count; i++)
            flags_with_value(out, command_groups[g]->commands[i].flags, &first);
    (void)fputs(") skip=1 ;;\n"
                "        -*) ;;\n"
                "        *) words+=\"${words:+ }$w\" ;;\n"
                "        esac\n"
                "    done\n"
                "    case $words in\n", out);
    for (size_t g = 0; g < command_group_count; g++)
        for (size_t i = 0; i < command_groups[g]->count; i++) {
            const struct command *c = &command_groups[g]->commands[i];
            (void)fprintf(out, "    '%s'*) flags+='", c->words);
            bash_flags(out, c->flags);
            (void)fputs("' ;;\n", out);
        }
    (void)fputs("    esac\n"
                "    local next=''\n"
                "    case $words in\n", out);
    bash_next(out);
    (void)fputs("    esac\n"
                "    if [[ $cur == -* ]]; then next=$flags; fi\n"
                "    COMPREPLY=($(compgen -W \"$next\" -- \"$cur\"))\n"
                "}\n"
                "complete -o default -F _mox mox\n", out);
}
