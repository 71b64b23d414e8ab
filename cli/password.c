/* SPDX-License-Identifier: MIT */
#include "password.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

void password_wipe(char password[PASSWORD_MAX + 1])
{
    volatile char *p = password;
    for (size_t i = 0; i <= PASSWORD_MAX; i++)
        p[i] = '\0';
}

/* Byte by byte: what follows the line is left to who reads next. */
static enum exit_code read_line(char out[PASSWORD_MAX + 1])
{
    size_t len = 0;
    for (;;) {
        char c;
        ssize_t n = read(STDIN_FILENO, &c, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cli_fail("read password: %s", strerror(errno));
        if (n == 0 || c == '\n')
            break;
        if (c == '\003' || c == '\0')
            return cli_fail("aborted");
        if (len == PASSWORD_MAX)
            return cli_fail("the password is longer than %d bytes", PASSWORD_MAX);
        out[len++] = c;
    }
    while (len > 0 && out[len - 1] == '\r')
        len--;
    out[len] = '\0';
    return EXIT_OK;
}

/* Without echo; and without signals, since one would leave the terminal so: control-C ends the line
 * instead. */
static enum exit_code ask(const char *prompt, char out[PASSWORD_MAX + 1])
{
    struct termios before, quiet;
    if (tcgetattr(STDIN_FILENO, &before) < 0)
        return cli_fail("read password: %s", strerror(errno));
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    quiet.c_cc[VEOL] = '\003';
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    (void)fputs(prompt, stderr); /* last: what is typed before the flush would be lost */
    enum exit_code code = read_line(out);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    (void)fputc('\n', stderr);
    return code;
}

static enum exit_code ask_twice(char out[PASSWORD_MAX + 1])
{
    char again[PASSWORD_MAX + 1] = "";
    (void)fprintf(stderr, "At least %d characters. Weak passwords, and those used elsewhere, are "
                          "found out.\n", PASSWORD_MIN);
    enum exit_code code = ask("Password: ", out);
    if (code == EXIT_OK)
        code = ask("Again: ", again);
    if (code == EXIT_OK && strcmp(out, again) != 0)
        code = cli_fail("the passwords differ; nothing was changed");
    password_wipe(again);
    return code;
}

enum exit_code password_read(char out[PASSWORD_MAX + 1])
{
    out[0] = '\0';
    enum exit_code code = isatty(STDIN_FILENO) == 1 ? ask_twice(out) : read_line(out);
    if (code == EXIT_OK && strlen(out) < PASSWORD_MIN)
        code = cli_fail("the password has fewer than %d bytes; nothing was changed", PASSWORD_MIN);
    return code;
}
