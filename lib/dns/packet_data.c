/* SPDX-License-Identifier: MIT */
#include "dns/packet.h"

#include "base/text.h"

/* A name that fills the rest of the data. Those of SRV are not to be compressed (RFC 2782), but some
 * servers do, and RFC 3597 §4 wants readers to understand it. */
static int read_name(struct arena *a, struct dns_cursor *c, size_t end, const char **out,
                     bool *is_kept)
{
    struct dns_name name;
    if (!mox__dns_read_name(c, &name) || c->at != end)
        return MOX_ESYNTAX;
    *is_kept = name.is_text;
    *out = mox__arena_strndup(a, name.text, strlen(name.text));
    return *out == NULL ? MOX_ENOMEM : MOX_OK;
}

/* One string or more, each with its length in front (RFC 1035 §3.3.14). */
static int read_txt(struct arena *a, struct mox_slice data, struct mox_slice *out)
{
    if (data.len == 0)
        return MOX_ESYNTAX;
    uint8_t *text = arena_new(a, uint8_t, data.len);
    if (text == NULL)
        return MOX_ENOMEM;
    size_t len = 0;
    while (data.len > 0) {
        size_t n = data.data[0];
        if (n > data.len - 1)
            return MOX_ESYNTAX;
        memcpy(text + len, data.data + 1, n);
        len += n;
        data = slice_from(data, n + 1);
    }
    *out = slice(text, len);
    return MOX_OK;
}

/* RFC 1035 §3.3.9 */
static int read_mx(struct arena *a, struct dns_cursor *c, size_t end, struct mox_dns_record *r,
                   bool *is_kept)
{
    if (!mox__dns_read_u16(c, &r->data.mx.preference))
        return MOX_ESYNTAX;
    return read_name(a, c, end, &r->data.mx.host, is_kept);
}

/* RFC 2782 */
static int read_srv(struct arena *a, struct dns_cursor *c, size_t end, struct mox_dns_record *r,
                    bool *is_kept)
{
    if (!mox__dns_read_u16(c, &r->data.srv.priority) ||
        !mox__dns_read_u16(c, &r->data.srv.weight) || !mox__dns_read_u16(c, &r->data.srv.port))
        return MOX_ESYNTAX;
    return read_name(a, c, end, &r->data.srv.target, is_kept);
}

/* RFC 6698 §2.1 */
static int read_tlsa(struct mox_slice data, struct mox_dns_record *r)
{
    enum { FIXED = 3 };
    if (data.len <= FIXED)
        return MOX_ESYNTAX;
    r->data.tlsa.usage = data.data[0];
    r->data.tlsa.selector = data.data[1];
    r->data.tlsa.matching = data.data[2];
    r->data.tlsa.data = slice_from(data, FIXED);
    return MOX_OK;
}

static int read_address(struct mox_slice data, uint8_t *out, size_t len)
{
    if (data.len != len)
        return MOX_ESYNTAX;
    memcpy(out, data.data, len);
    return MOX_OK;
}

int mox__dns_read_data(struct arena *a, struct mox_slice packet, const struct dns_frame *f,
                       struct mox_dns_record *r, bool *is_kept)
{
    struct mox_slice data = slice(packet.data + f->data, f->end - f->data);
    struct dns_cursor c = {packet, f->data};
    /* RFC 2181 §8: a TTL with the first bit set is 0. */
    *r = (struct mox_dns_record){.ttl = f->ttl > INT32_MAX ? 0 : f->ttl};
    *is_kept = true;
    switch ((enum mox_dns_type)f->type) {
    case MOX_DNS_A:
        return read_address(data, r->data.a, sizeof r->data.a);
    case MOX_DNS_AAAA:
        return read_address(data, r->data.aaaa, sizeof r->data.aaaa);
    case MOX_DNS_NS:
    case MOX_DNS_CNAME:
    case MOX_DNS_PTR:
        return read_name(a, &c, f->end, &r->data.name, is_kept);
    case MOX_DNS_TXT:
        return read_txt(a, data, &r->data.txt);
    case MOX_DNS_MX:
        return read_mx(a, &c, f->end, r, is_kept);
    case MOX_DNS_SRV:
        return read_srv(a, &c, f->end, r, is_kept);
    case MOX_DNS_TLSA:
        return read_tlsa(data, r);
    }
    return MOX_ESYNTAX;
}
