/* SPDX-License-Identifier: MIT */
/* What it costs when a message names many charsets. */
#include <dlfcn.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/junk.h>

#include "support/cm.h"
#include "support/testenv.h"

#define FIELDS  300
#define MESSAGE 100000

static unsigned opened;

/* In place of the libc's: each call may load a file and unload another one. */
iconv_t iconv_open(const char *to, const char *from)
{
    iconv_t (*real)(const char *, const char *) = NULL;
    void *found = dlsym(RTLD_NEXT, "iconv_open");
    memcpy(&real, &found, sizeof real);
    opened++;
    return real(to, from);
}

static const char *const charsets[] = {"big5", "gb18030", "euc-jp", "euc-kr", "windows-1255"};
#define CHARSETS (sizeof charsets / sizeof charsets[0])

static void open_once(const char *message, size_t len)
{
    struct test_env t;
    struct mox_junk_params params;
    struct mox_junk_words *words = NULL;
    test_env_init(&t);
    mox_junk_params_init(&params);
    opened = 0;
    assert_int_equal(mox_junk_words_new(&words, &t.env, &params,
                                        (struct mox_slice){(const uint8_t *)message, len}),
                     MOX_OK);
    assert_int_equal(opened, CHARSETS);
    mox_junk_words_free(words);
    test_env_done(&t);
}

static void each_charset_of_a_header_is_opened_once(void **state)
{
    (void)state;
    static char message[MESSAGE];
    size_t len = 0;
    for (size_t i = 0; i < FIELDS; i++)
        len += (size_t)snprintf(message + len, sizeof message - len,
                                "Subject: =?%s?q?=A4=A4?= =?%s?q?=A4=A4?=\r\n",
                                charsets[i % CHARSETS], charsets[(i + 1) % CHARSETS]);
    open_once(message, len);
}

static void each_charset_of_parts_is_opened_once(void **state)
{
    (void)state;
    static char message[MESSAGE];
    size_t len = (size_t)sprintf(message, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    for (size_t i = 0; i < FIELDS; i++)
        len += (size_t)snprintf(message + len, sizeof message - len,
                                "--b\r\nContent-Type: text/plain; charset=%s\r\n\r\n\xa4\xa4\r\n",
                                charsets[i % CHARSETS]);
    open_once(message, len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_charset_of_a_header_is_opened_once),
        cmocka_unit_test(each_charset_of_parts_is_opened_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
