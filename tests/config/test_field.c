/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/field.h"
#include "config/tables.h"
#include "support/cm.h"
#include "support/testenv.h"

/* A table with every kind of value. */
struct inner {
    bool yes;
    const char *text;
};

struct named {
    const char *name;
    struct inner inner;
};

struct pair {
    const char *name;
    int64_t value;
};

struct deep { /* list of structs of lists */
    struct mox_config_strings words;
};

struct all {
    const char *string;
    bool boolean;
    int64_t int64;
    uint32_t uint32;
    uint16_t port;
    double number;
    int64_t duration_us;
    struct mox_slice bytes;
    enum mox_log_level level;
    struct mox_config_strings strings;
    struct inner inner;
    const struct inner *optional;
    struct {
        struct deep *items;
        size_t count;
    } deep;
    struct {
        struct pair *items;
        size_t count;
    } pairs;
    struct {
        struct named *items;
        size_t count;
    } map;
    struct {
        struct mox_config_strings *items;
        size_t count;
    } lists;
};

#define AT(member) offsetof(struct inner, member)
static const struct field inner_fields[] = {
    {.name = "Yes", .type = &mox__type_bool, .offset = AT(yes), .doc = "Yes."},
    {.name = "Text", .type = &mox__type_string, .offset = AT(text), .preset = "preset",
     .doc = "Text."},
};
#undef AT
static const struct value_type inner_type = STRUCT_TYPE(struct inner, inner_fields, NULL);
static const struct value_type optional_type = OPTIONAL_OF(inner_type);

static const struct field named_fields[] = {
    {.name = "Inner", .type = &inner_type, .offset = offsetof(struct named, inner), .doc = "In."},
};
static const struct value_type named_type = STRUCT_TYPE(struct named, named_fields, NULL);
static const struct value_type map_type = MAP_OF(named_type, struct named, 0);
static const struct value_type pairs_type =
    MAP_OF(mox__type_int64, struct pair, offsetof(struct pair, value));

static const struct field deep_fields[] = {
    {.name = "Words", .type = &mox__type_strings, .offset = offsetof(struct deep, words),
     .required = true, .doc = "Words."},
};
static const struct value_type deep_type = STRUCT_TYPE(struct deep, deep_fields, NULL);
static const struct value_type deeps_type = LIST_OF(deep_type, struct deep);
static const struct value_type lists_type = LIST_OF(mox__type_strings, struct mox_config_strings);

#define AT(member) offsetof(struct all, member)
static const struct field all_fields[] = {
    {.name = "String", .type = &mox__type_string, .offset = AT(string), .required = true,
     .doc = "Preface of the file.\n\n\nA string."},
    {.name = "Bool", .type = &mox__type_bool, .offset = AT(boolean), .doc = "A bool."},
    {.name = "Int64", .type = &mox__type_int64, .offset = AT(int64), .preset = "7", .doc = "Int."},
    {.name = "Uint32", .type = &mox__type_uint32, .offset = AT(uint32), .doc = "Unsigned."},
    {.name = "Port", .type = &mox__type_port, .offset = AT(port), .preset = "25",
     .zero_is_preset = true, .doc = "Port."},
    {.name = "Float", .type = &mox__type_float, .offset = AT(number), .doc = "Float."},
    {.name = "Duration", .type = &mox__type_duration, .offset = AT(duration_us), .preset = "15s",
     .doc = "Duration."},
    {.name = "Bytes", .type = &mox__type_bytes, .offset = AT(bytes), .doc = "Bytes."},
    {.name = "Level", .type = &mox__type_level, .offset = AT(level), .doc = "Level."},
    {.name = "Strings", .type = &mox__type_strings, .offset = AT(strings),
     .doc = "A list whose documentation is so long that it does not fit into eighty columns and "
            "must be wrapped."},
    {.name = "Inner", .type = &inner_type, .offset = AT(inner), .doc = "Inner."},
    {.name = "Optional", .type = &optional_type, .offset = AT(optional), .doc = "Optional."},
    {.name = "Deep", .type = &deeps_type, .offset = AT(deep), .doc = "Deep."},
    {.name = "Pairs", .type = &pairs_type, .offset = AT(pairs), .doc = "Pairs."},
    {.name = "Map", .type = &map_type, .offset = AT(map), .doc = "Map."},
    {.name = "Lists", .type = &lists_type, .offset = AT(lists), .doc = "Lists."},
};
#undef AT
static const struct value_type all_type = STRUCT_TYPE(struct all, all_fields, NULL);

struct fixture {
    struct test_env t;
    struct sconf tree;
    struct arena arena;
    struct mox_config_errors errors;
    struct all all;
};

static int load(struct fixture *f, const char *text, long fail_at)
{
    test_env_init(&f->t);
    f->t.fail_at = fail_at;
    mox__arena_init(&f->arena, &f->t.env, SIZE_MAX);
    mox_config_errors_init(&f->errors, &f->t.env);
    int rc = mox__sconf_read(&f->tree, &f->t.env, "f", slice_of(text), NULL);
    if (rc < 0)
        return rc;
    struct bind b = {.tree = &f->tree, .arena = &f->arena, .errors = &f->errors};
    return mox__bind(&b, &all_type, &f->all);
}

static void unload(struct fixture *f)
{
    mox_config_errors_free(&f->errors);
    mox__arena_reset(&f->arena);
    mox__sconf_free(&f->tree);
    test_env_done(&f->t);
}

static void assert_emits(struct fixture *f, enum emit_mode mode, const char *expected)
{
    struct buf out;
    mox__buf_init(&out, &f->t.env, 100000);
    assert_int_equal(mox__emit(&out, &all_type, &f->all, mode, NULL), MOX_OK);
    mox__buf_byte(&out, '\0');
    assert_string_equal((char *)out.data, expected);
    mox__buf_free(&out);
}

/* What the writer writes. */
static const char full[] = "String: a: # b\n"
                           "Bool: true\n"
                           "Int64: -9223372036854775808\n"
                           "Uint32: 4294967295\n"
                           "Port: 65535\n"
                           "Float: 0.950000\n"
                           "Duration: 12h0m1.5s\n"
                           "Bytes: AAEC\n"
                           "Level: traceauth\n"
                           "Strings:\n"
                           "\t- one\n"
                           "\t-\n"
                           "\t- nil\n"
                           "Inner:\n"
                           "\tYes: true\n"
                           "\tText:\n"
                           "Optional: nil\n"
                           "Deep:\n"
                           "\t-\n"
                           "\t\tWords:\n"
                           "\t\t\t- x\n"
                           "\t\t\t- y\n"
                           "\t-\n"
                           "\t\tWords:\n"
                           "\t\t\t- z\n"
                           "Pairs:\n"
                           "\ta: 1\n"
                           "\tb: -2\n"
                           "Map:\n"
                           "\tx:\n"
                           "\t\tInner:\n"
                           "\t\t\tYes: true\n"
                           "\ty: nil\n"
                           "Lists:\n"
                           "\t-\n"
                           "\t\t- p\n"
                           "\t-\n"
                           "\t\t- q\n"
                           "\t\t- r\n";

static void every_type_survives_reading_and_writing(void **state)
{
    (void)state;
    struct fixture f = {0};
    assert_int_equal(load(&f, full, 0), MOX_OK);
    assert_string_equal(f.all.string, "a: # b");
    assert_true(f.all.int64 == INT64_MIN);
    assert_int_equal(f.all.duration_us, 43201500000);
    assert_memory_equal(f.all.bytes.data, "\0\1\2", 3);
    assert_string_equal(f.all.strings.items[2], "nil"); /* no struct, so it is a text */
    assert_string_equal(f.all.inner.text, "");          /* present, although not the default */
    assert_string_equal(f.all.optional->text, "preset");
    assert_string_equal(f.all.deep.items[0].words.items[1], "y");
    assert_int_equal(f.all.pairs.items[1].value, -2);
    assert_string_equal(f.all.map.items[1].inner.text, "preset");
    assert_string_equal(f.all.lists.items[1].items[1], "r");
    assert_emits(&f, EMIT_PLAIN, full);
    unload(&f);
}

static void absent_fields_have_their_defaults(void **state)
{
    (void)state;
    struct fixture f = {0};
    assert_int_equal(load(&f, "String:\nPort: 0\nDuration: 0\n", 0), MOX_OK);
    assert_string_equal(f.all.string, "");
    assert_int_equal(f.all.int64, 7);
    assert_int_equal(f.all.port, 25);
    assert_int_equal(f.all.duration_us, 0); /* no delay is not the default delay */
    assert_null(f.all.optional);
    assert_string_equal(f.all.inner.text, "preset");
    assert_emits(&f, EMIT_PLAIN, "String:\nDuration: 0s\n");
    unload(&f);
}

static void maps_are_sorted_whatever_the_order_in_the_file(void **state)
{
    (void)state;
    struct fixture f = {0};
    assert_int_equal(load(&f, "String: x\nPairs:\n\tc: 3\n\ta: 1\n\tb: 2\n", 0), MOX_OK);
    assert_emits(&f, EMIT_PLAIN, "String: x\nPairs:\n\ta: 1\n\tb: 2\n\tc: 3\n");
    unload(&f);
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    int rc = MOX_ENOMEM;
    for (long fail_at = 1; rc != MOX_OK; fail_at++) {
        struct fixture f = {0};
        rc = load(&f, full, fail_at);
        assert_true(rc == MOX_OK || rc == MOX_ENOMEM);
        unload(&f);
        assert_true(fail_at < 100);
    }
}

static void each_bad_value_is_reported_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"Bool: true\n# end\n", "f:2: missing required field \"String\" of the file"},
        {"", "f:1: missing required field \"String\""},
        {"String: x\nDeep:\n\t-\n\t\tWords: nil\n\t- nil\nBool: true\n",
         "f:5: missing required field \"Words\" of list item"},
        {"String: x\nString : y\n", "f:2: unknown field \"String \"; remove the white space"},
        {"String: x\nbool: true\n", "f:2: unknown field \"bool\"; did you mean \"Bool\"?"},
        {"String: x\nInner:\n\tNo: y\n", "f:3: unknown field \"No\"; the fields here are Yes, Text"},
        {"String: x\nBool: True\n", "f:2: \"Bool\": bad value \"True\": expected true or false"},
        {"String: x\nInt64: 9223372036854775808\n", "f:2: \"Int64\": bad value"},
        {"String: x\nInt64: 1x\n", "f:2: \"Int64\": bad value \"1x\""},
        {"String: x\nUint32: -1\n", "f:2: \"Uint32\": bad value \"-1\""},
        {"String: x\nPort: 65536\n", "f:2: \"Port\": bad value"},
        {"String: x\nFloat: 1,5\n", "f:2: \"Float\": bad value \"1,5\""},
        {"String: x\nFloat: nan\n", "f:2: \"Float\": bad value"},
        {"String: x\nDuration: 1d\n", "f:2: \"Duration\": bad value \"1d\""},
        {"String: x\nBytes: AA=\n", "f:2: \"Bytes\": bad value \"AA=\": expected base64"},
        {"String: x\nLevel: loud\n", "f:2: \"Level\": bad value \"loud\": unknown log level"},
        {"String: x\nInner: y\n", "f:2: expected indent: \"Inner\" has a value on its line"},
        {"String: x\nInner:\n# c\n\nBool: true\n", "f:5: expected indent: \"Inner\" (line 2)"},
        {"String: x\nInner:\n", "f:2: expected indent: \"Inner\" (line 2)"},
        {"String: x\nStrings:\n\ta: b\n", "f:3: \"Strings\" takes list items"},
        {"String: x\nInner:\n\t- b\n", "f:3: \"Inner\" takes \"Key: value\" lines"},
        {"String:\n\tx: y\n", "f:2: unexpected indentation: the value of \"String\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f = {0};
        assert_int_equal(load(&f, cases[i].text, 0), MOX_ESYNTAX);
        assert_int_equal(f.errors.count, 1);
        if (strncmp(f.errors.texts[0], cases[i].error, strlen(cases[i].error)) != 0)
            fail_msg("expected %s, got %s", cases[i].error, f.errors.texts[0]);
        unload(&f);
    }
}

static void all_mistakes_are_reported_at_once(void **state)
{
    (void)state;
    struct fixture f = {0};
    assert_int_equal(load(&f, "Bool: x\nPort: y\nQ: z\n", 0), MOX_ESYNTAX);
    assert_int_equal(f.errors.count, 4); /* the missing String, too */
    unload(&f);
}

static void durations_are_read_and_written_canonically(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        int64_t us;
        const char *out;
    } cases[] = {
        {"0", 0, "0s"},
        {"1h30m", 5400000000, "1h30m0s"},
        {"1.5h", 5400000000, "1h30m0s"},
        {".5s", 500000, "500ms"},
        {"24h", 86400000000, "24h0m0s"},
        {"-1m", -60000000, "-1m0s"},
        {"+90s", 90000000, "1m30s"},
        {"1ms20us", 1020, "1.02ms"},
        {"3\xc2\xb5s", 3, "3us"},
        {"1000ns", 1, "1us"},
        {"1.000001s", 1000001, "1.000001s"},
        {"2562047h", 9223369200000000, "2562047h0m0s"},
    };
    static const char *const bad[] = {"", "1", "s", "1x", "1h ", ".s", "1.h.", "-", "1ns",
                                      "2562048h", "99999999999999999999h", "1..5s"};
    struct test_env t;
    test_env_init(&t);
    const struct value_type *type = &mox__type_duration;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t us = 0;
        assert_null(type->parse(NULL, slice_of(cases[i].in), &us));
        assert_true(us == cases[i].us);
        struct buf out;
        mox__buf_init(&out, &t.env, 100);
        type->format(&out, &us);
        mox__buf_byte(&out, '\0');
        assert_string_equal((char *)out.data, cases[i].out);
        mox__buf_free(&out);
    }
    int64_t us = 0;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (type->parse(NULL, slice_of(bad[i]), &us) == NULL)
            fail_msg("accepted %s", bad[i]);
    test_env_done(&t);
}

static void floats_do_not_follow_the_locale(void **state)
{
    (void)state;
    static const char *const good[] = {"1", "-1.5", ".5", "5.", "1e3", "1.5E-3", "+0"};
    static const char *const bad[] = {"", ".", "e5", "1e", "0x10", "1 ", "inf", "1e9999", "--1", "1e64"};
    (void)setlocale(LC_ALL, "de_DE.UTF-8");
    double value = 0;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_null(mox__type_float.parse(NULL, slice_of(good[i]), &value));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct bind b = {0};
        assert_non_null(mox__type_float.parse(&b, slice_of(bad[i]), &value));
    }
    (void)setlocale(LC_ALL, "C");
}

static void what_the_format_cannot_say_is_not_written(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    struct all all;
    mox__field_presets(&all_type, &all);
    struct pair pair = {"a:b", 1};
    struct mox_error err;
    struct buf out;
    mox__buf_init(&out, &t.env, 1000);
    all.string = "two\nlines";
    assert_int_equal(mox__emit(&out, &all_type, &all, EMIT_PLAIN, &err), MOX_EINVAL);
    assert_non_null(strstr(err.text, "String: the value has a line break"));
    all.string = "cr\r";
    assert_int_equal(mox__emit(&out, &all_type, &all, EMIT_PLAIN, &err), MOX_EINVAL);
    all.string = "fine";
    all.pairs.items = &pair;
    all.pairs.count = 1;
    assert_int_equal(mox__emit(&out, &all_type, &all, EMIT_PLAIN, &err), MOX_EINVAL);
    assert_non_null(strstr(err.text, "a:b"));
    struct deep deep = {{NULL, 0}}; /* a required list */
    all.pairs.count = 0;
    all.deep.items = &deep;
    all.deep.count = 1;
    assert_int_equal(mox__emit(&out, &all_type, &all, EMIT_PLAIN, &err), MOX_EINVAL);
    assert_non_null(strstr(err.text, "Words: the list is empty"));
    mox__buf_free(&out);
    test_env_done(&t);
}

static void describe_shows_every_field_and_can_be_read(void **state)
{
    (void)state;
    static const char begin[] = "# Preface of the file.\n"
                                "\n\n"
                                "# A string.\n"
                                "String:\n"
                                "\n"
                                "# A bool. (optional)\n"
                                "Bool: false\n"
                                "\n";
    static const char middle[] =
        "# A list whose documentation is so long that it does not fit into eighty columns\n"
        "# and must be wrapped. (optional)\n"
        "Strings:\n"
        "\t-\n"
        "\n"
        "# Inner. (optional)\n"
        "Inner:\n"
        "\n"
        "\t# Yes. (optional)\n"
        "\tYes: false\n";
    struct fixture f = {0};
    test_env_init(&f.t);
    struct buf out;
    mox__buf_init(&out, &f.t.env, 100000);
    assert_int_equal(mox__emit(&out, &all_type, NULL, EMIT_DESCRIBE, NULL), MOX_OK);
    mox__buf_byte(&out, '\0');
    const char *text = (const char *)out.data;
    assert_memory_equal(text, begin, sizeof begin - 1);
    assert_non_null(strstr(text, middle));
    assert_non_null(strstr(text, "Map:\n\tx:\n"));
    /* Who fills it in gets the defaults. */
    assert_non_null(strstr(text, "Duration: 15s\n"));
    assert_non_null(strstr(text, "Port: 0\n"));
    struct fixture g = {0};
    assert_int_equal(load(&g, text, 0), MOX_OK);
    unload(&g);
    mox__buf_free(&out);
    test_env_done(&f.t);
}

static void assert_table_is_sound(const struct value_type *type)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const struct field *f = &type->fields[i];
        assert_non_null(f->doc);
        assert_true(f->offset + f->type->size <= type->size);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(f->name, type->fields[k].name);
        if (f->preset != NULL) { /* it must be as the writer writes it */
            struct test_env t;
            test_env_init(&t);
            struct arena arena;
            mox__arena_init(&arena, &t.env, SIZE_MAX);
            struct bind b = {.arena = &arena};
            uint64_t value[4] = {0};
            struct buf out;
            mox__buf_init(&out, &t.env, 1000);
            assert_null(f->type->parse(&b, slice_of(f->preset), value));
            f->type->format(&out, value);
            assert_true(mox__slice_is(slice(out.data, out.len), f->preset));
            mox__buf_free(&out);
            mox__arena_reset(&arena);
            test_env_done(&t);
        }
        const struct value_type *below = f->type->element != NULL ? f->type->element : f->type;
        if (below->kind == VALUE_STRUCT)
            assert_table_is_sound(below);
    }
}

static void the_tables_of_both_files_are_sound(void **state)
{
    (void)state;
    assert_table_is_sound(&all_type);
    assert_table_is_sound(&mox__config_static_type);
    assert_table_is_sound(&mox__config_domains_type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_survives_reading_and_writing),
        cmocka_unit_test(absent_fields_have_their_defaults),
        cmocka_unit_test(maps_are_sorted_whatever_the_order_in_the_file),
        cmocka_unit_test(memory_may_run_out_anywhere),
        cmocka_unit_test(each_bad_value_is_reported_with_its_line),
        cmocka_unit_test(all_mistakes_are_reported_at_once),
        cmocka_unit_test(durations_are_read_and_written_canonically),
        cmocka_unit_test(floats_do_not_follow_the_locale),
        cmocka_unit_test(what_the_format_cannot_say_is_not_written),
        cmocka_unit_test(describe_shows_every_field_and_can_be_read),
        cmocka_unit_test(the_tables_of_both_files_are_sound),
    };
    return cmocka_run_group_tests_name("config-field", tests, NULL, NULL);
}
