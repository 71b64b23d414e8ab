/* SPDX-License-Identifier: MIT */

/* Values of the configuration are written as they were read, and addresses are found under each way to
 * write them. Input: a kind of value, and its text; or a domains.conf and, behind a form feed, an
 * address. */

#include <mox/config.h>

#include "config/domain.h"
#include "config/table.h"
#include "config/tables.h"
#include "fuzz/input.h"

static const struct value_type *const scalars[] = {
    &mox__type_string, &mox__type_bool,     &mox__type_int64, &mox__type_uint32, &mox__type_port,
    &mox__type_float,  &mox__type_duration, &mox__type_bytes, &mox__type_level};

static void check_scalar(const struct mox_env *env, const struct value_type *type,
                         struct mox_slice text)
{
    union {
        const char *string;
        int64_t i;
        double d;
        struct mox_slice bytes;
    } value, again;
    struct arena a;
    struct buf first, second;
    struct bind b = {.arena = &a};
    mox__arena_init(&a, env, SIZE_MAX / 2);
    mox__buf_init(&first, env, SIZE_MAX / 2);
    mox__buf_init(&second, env, SIZE_MAX / 2);
    memset(&value, 0, sizeof value);
    memset(&again, 0, sizeof again);
    const char *problem = type->parse(&b, text, &value);
    assert(!b.no_memory && (problem == NULL || problem[0] != '\0'));
    if (problem == NULL) {
        type->format(&first, &value);
        assert(type->parse(&b, buf_bytes(&first), &again) == NULL);
        type->format(&second, &again);
        assert_same(buf_bytes(&first), buf_bytes(&second));
    }
    mox__buf_free(&first);
    mox__buf_free(&second);
    mox__arena_reset(&a);
}

static void check_domain(struct mox_slice text)
{
    char name[DOMAIN_NAME_MAX + 1], again[DOMAIN_NAME_MAX + 1];
    if (mox__config_domain(text, name) != NULL)
        return;
    assert(mox__config_domain(slice_of(name), again) == NULL && strcmp(name, again) == 0);
}

/* Canonical local parts stay so. */
static void check_localpart(struct mox_slice text, uint8_t how)
{
    char once[LOCALPART_CANONICAL_MAX + 1], twice[LOCALPART_CANONICAL_MAX + 1];
    const char *separators[] = {"-", "+x"};
    const struct mox_config_domain domain = {
        .localpart_catchall_separator = (how & 1) != 0 ? "+" : "",
        .localpart_catchall_separators = {separators, how >> 1 & 1},
        .localpart_case_sensitive = (how & 4) != 0};
    if (!mox__config_localpart(&domain, text, once))
        return;
    assert(strlen(once) <= LOCALPART_CANONICAL_MAX && mox__slice_is_utf8(slice_of(once)));
    if (mox__config_localpart(&domain, slice_of(once), twice))
        assert(strcmp(once, twice) == 0);
    else
        assert(strlen(once) > LOCALPART_MAX);
}

static void check_split(struct mox_slice address)
{
    char out[LOCALPART_MAX];
    struct mox_slice localpart, domain;
    if (!mox__config_split(address, out, &localpart, &domain))
        return;
    assert(localpart.len <= LOCALPART_MAX && domain.len <= address.len);
    assert(domain.len == 0 || memchr(domain.data, '@', domain.len) == NULL);
}

/* As it is written, with the domain that it is in: a destination without one is of its account's. */
static void write_address(struct buf *out, const struct address *a)
{
    const char *text = a->alias != NULL ? a->alias->localpart : a->destination->address;
    mox__buf_text(out, text);
    if (a->alias == NULL && strchr(text, '@') == NULL)
        mox__buf_printf(out, "@%s", a->account->domain);
    if (a->alias != NULL) /* may end in an @ */
        mox__buf_printf(out, "%s%s", strchr(text, '@') == NULL ? "@" : "", a->domain->name);
}

static void check_found(const struct mox_config *config, const struct address *a,
                        struct mox_slice text)
{
    struct mox_config_target to;
    enum mox_config_found found = mox_config_lookup_address(config, text, MOX_CONFIG_LOGIN, &to);
    assert(found == (a->domain->disabled ? MOX_CONFIG_DOMAIN_DISABLED : MOX_CONFIG_FOUND));
    assert(to.account == a->account);
}

/* Each address of the table leads to its account, also in capitals. */
static void check_table(const struct mox_env *env, const struct mox_config *config)
{
    for (size_t i = 0; i < config->table->count; i++) {
        const struct address *a = &config->table->addresses[i];
        struct buf text;
        if (a->canonical[0] == '@') /* what no other address matches */
            continue;
        mox__buf_init(&text, env, SIZE_MAX / 2);
        write_address(&text, a);
        check_found(config, a, buf_bytes(&text));
        for (size_t k = 0; k < text.len && !a->domain->localpart_case_sensitive; k++)
            if (text.data[k] >= 'a' && text.data[k] <= 'z')
                text.data[k] = (uint8_t)(text.data[k] - 'a' + 'A');
        check_found(config, a, buf_bytes(&text));
        mox__buf_free(&text);
    }
}

static void check_domains(const struct mox_env *env, struct mox_slice file,
                          struct mox_slice address)
{
    struct mox_config_static mox;
    struct mox_config_domains domains;
    struct mox_config_table table = {0};
    struct sconf tree, empty;
    struct arena arena;
    struct mox_config_target to;
    mox__arena_init(&arena, env, SIZE_MAX / 2);
    mox_config_static_init(&mox);
    mox_config_domains_init(&domains);
    mox.hostname = "mx.example";
    mox.postmaster.account = "a";
    mox.postmaster.mailbox = "Postmaster";
    assert(mox__sconf_read(&empty, env, "m", slice_of(""), NULL) == MOX_OK);
    int rc = mox__sconf_read(&tree, env, "f", file, NULL);
    struct bind m = {.tree = &empty, .arena = &arena}, d = {.tree = &tree, .arena = &arena};
    if (rc == MOX_OK)
        rc = mox__bind(&d, &mox__config_domains_type, &domains);
    if (rc == MOX_OK && mox__config_table(&table, &m, &mox, &d, &domains) == MOX_OK && !d.failed) {
        const struct mox_config config = {
            .dir = ".", .mox = &mox, .domains = &domains, .table = &table};
        check_table(env, &config);
        for (int use = MOX_CONFIG_LOGIN; use <= MOX_CONFIG_RECIPIENT; use++)
            if (mox_config_lookup_address(&config, address, (enum mox_config_use)use, &to) ==
                MOX_CONFIG_FOUND)
                assert(to.mailbox[0] != '\0');
    }
    mox__config_table_free(&table);
    mox__sconf_free(&tree);
    mox__sconf_free(&empty);
    mox__arena_reset(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct input in = {{data, len}};
    mox_env_system(&env);
    unsigned kind = input_below(&in, 12);
    if (kind < sizeof scalars / sizeof scalars[0]) {
        check_scalar(&env, scalars[kind], in.rest);
        return 0;
    }
    uint8_t how = input_byte(&in);
    check_domain(in.rest);
    check_localpart(in.rest, how);
    check_split(in.rest);
    struct mox_slice file = input_until(&in, '\f');
    check_domains(&env, file, in.rest);
    return 0;
}
