/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "help.h"

/* The first words of all commands, each once. */
static void first_words(FILE *out)
{
    char last[32] = "";
    for (size_t g = 0; g < command_group_count; g++)
        for (size_t i = 0; i < command_groups[g]->count; i++) {
            const char *words = command_groups[g]->commands[i].words;
            char word[32];
            (void)snprintf(word, sizeof word, "%.*s", (int)strcspn(words, " "), words);
            if (strcmp(word, last) != 0)
                (void)fprintf(out, "%s%s", *last == '\0' ? "" : " ", word);
            (void)snprintf(last, sizeof last, "%s", word);
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
                "    case $words in\n"
                "    ''|help) next='", out);
    first_words(out);
    (void)fputs("' ;;\n    config|'help config') next='", out);
    for (size_t g = 0; g < command_group_count; g++)
        for (size_t i = 0; i < command_groups[g]->count; i++)
            if (strncmp(command_groups[g]->commands[i].words, "config ", 7) == 0)
                (void)fprintf(out, " %s", command_groups[g]->commands[i].words + 7);
    (void)fputs("' ;;\n    esac\n"
                "    if [[ $cur == -* ]]; then next=$flags; fi\n"
                "    COMPREPLY=($(compgen -W \"$next\" -- \"$cur\"))\n"
                "}\n"
                "complete -o default -F _mox mox\n", out);
}
