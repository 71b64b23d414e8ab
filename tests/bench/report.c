/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

/* ---- numbers ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double quantile(double *values, size_t count, double share)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof *values, by_value);
    size_t at = (size_t)(share * (double)count);
    return values[at < count ? at : count - 1];
}

/* Three digits that matter, as people write numbers. */
static const char *number(double v, char *out, size_t size)
{
    double a = fabs(v);
    int places = a >= 100 || a == 0 ? 0 : a >= 10 ? 1 : a >= 1 ? 2 : a >= 0.1 ? 3 : 4;
    (void)snprintf(out, size, "%.*f", places, v);
    return out;
}

/* ---- the machine ---- */

void report_open(struct report *r, const char *name)
{
    memset(r, 0, sizeof *r);
    r->name = name;
    (void)printf("%s\n", name);
}

/* Its place, or machine_count. */
static size_t find(const struct report *r, const char *what)
{
    size_t at = 0;
    while (at < r->machine_count && strcmp(r->machine[at].what, what) != 0)
        at++;
    return at;
}

void report_machine(struct report *r, const char *what, double value, const char *unit)
{
    char text[32];
    const size_t at = find(r, what);
    if (at == REPORT_MACHINE_MAX)
        fail("too many figures of the machine");
    struct machine *m = &r->machine[at];
    if (at == r->machine_count) {
        r->machine_count++;
        *m = (struct machine){.what = what, .unit = unit, .low = value, .high = value};
    }
    m->sum += value;
    m->times++;
    m->low = fmin(m->low, value);
    m->high = fmax(m->high, value);
    (void)printf("  machine: %s %s %s\n", what, number(value, text, sizeof text), unit);
    (void)fflush(stdout);
}

double report_machine_mean(const struct report *r, const char *what)
{
    const size_t at = find(r, what);
    return at == r->machine_count ? 0 : r->machine[at].sum / r->machine[at].times;
}

/* ---- the table ---- */

static const char *copy(const char *text)
{
    if (text == NULL)
        return NULL;
    char *own = strdup(text);
    if (own == NULL)
        die("malloc");
    return own;
}

static double ratio(const struct report *r, const struct figure *f)
{
    double mean = f->of == NULL ? 0 : report_machine_mean(r, f->of);
    return mean > 0 ? f->value / mean : 0;
}

void report_figure(struct report *r, const struct figure *f)
{
    char value[32], low[32], high[32], label[128], rest[128] = "";
    size_t at = 0;
    if (r->figure_count == REPORT_FIGURES_MAX)
        fail("too many figures");
    (void)snprintf(label, sizeof label, "%s %s", f->what, f->params == NULL ? "" : f->params);
    if (f->high > 0)
        at += (size_t)snprintf(rest, sizeof rest, "  (%s to %s)", number(f->low, low, sizeof low),
                               number(f->high, high, sizeof high));
    if (ratio(r, f) > 0)
        (void)snprintf(rest + at, sizeof rest - at, "  %.3g x %s", ratio(r, f), f->of);
    (void)printf("  %-64s %10s %-10s%s\n", label, number(f->value, value, sizeof value), f->unit,
                 rest);
    (void)fflush(stdout);
    struct figure *own = &r->figures[r->figure_count++];
    *own = *f;
    own->what = copy(f->what);
    own->params = copy(f->params);
    own->unit = copy(f->unit);
    own->of = copy(f->of);
}

void report_value(struct report *r, const char *what, const char *params, double value,
                  const char *unit, const char *of)
{
    const struct figure f = {
        .what = what, .params = params, .value = value, .unit = unit, .of = of};
    report_figure(r, &f);
}

void report_median(struct report *r, const char *what, const char *params, double *values,
                   size_t count, const char *unit, const char *of)
{
    const struct figure f = {.what = what,
                             .params = params,
                             .value = quantile(values, count, 0.5),
                             .unit = unit,
                             .of = of,
                             .low = values[0],
                             .high = values[count - 1]};
    report_figure(r, &f);
}

/* ---- JSON (RFC 8259) ---- */

static void json_text(FILE *out, const char *text, size_t len)
{
    (void)fputc('"', out);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            (void)fprintf(out, "\\%c", c);
        else if (c < 0x20)
            (void)fprintf(out, "\\u%04x", c);
        else
            (void)fputc(c, out);
    }
    (void)fputc('"', out);
}

static void json_string(FILE *out, const char *key, const char *text)
{
    (void)fprintf(out, "\"%s\":", key);
    json_text(out, text, strlen(text));
}

/* "a=1 b=two" as {"a":1,"b":"two"}. */
static void json_params(FILE *out, const char *params)
{
    const char *comma = "";
    (void)fputc('{', out);
    for (const char *p = params; *p != '\0'; p += strspn(p, " ")) {
        size_t len = strcspn(p, " "), key = strcspn(p, "= ");
        const char *value = p + key + (key < len);
        size_t value_len = len - (size_t)(value - p);
        (void)fputs(comma, out);
        json_text(out, p, key);
        (void)fputc(':', out);
        if (value_len > 0 && strspn(value, "0123456789") == value_len)
            (void)fwrite(value, 1, value_len, out);
        else
            json_text(out, value, value_len);
        comma = ",";
        p += len;
    }
    (void)fputc('}', out);
}

static void json_figure(FILE *out, const struct report *r, const struct figure *f)
{
    (void)fputc('{', out);
    json_string(out, "what", f->what);
    (void)fputs(",\"params\":", out);
    json_params(out, f->params == NULL ? "" : f->params);
    (void)fprintf(out, ",\"value\":%.9g", f->value);
    if (f->high > 0)
        (void)fprintf(out, ",\"low\":%.9g,\"high\":%.9g", f->low, f->high);
    (void)fputc(',', out);
    json_string(out, "unit", f->unit);
    if (ratio(r, f) > 0) {
        (void)fputc(',', out);
        json_string(out, "of", f->of);
        (void)fprintf(out, ",\"ratio\":%.6g", ratio(r, f));
    }
    (void)fputc('}', out);
}

static void json(FILE *out, const struct report *r)
{
    (void)fputc('{', out);
    json_string(out, "bench", r->name);
    (void)fputs(",\"machine\":{", out);
    for (size_t i = 0; i < r->machine_count; i++) {
        const struct machine *m = &r->machine[i];
        (void)fputs(i > 0 ? "," : "", out);
        (void)fprintf(out, "\"%s\":{\"value\":%.9g,\"low\":%.9g,\"high\":%.9g,", m->what,
                      m->sum / m->times, m->low, m->high);
        json_string(out, "unit", m->unit);
        (void)fputc('}', out);
    }
    (void)fputs("},\"figures\":[", out);
    for (size_t i = 0; i < r->figure_count; i++) {
        (void)fputs(i > 0 ? "," : "", out);
        json_figure(out, r, &r->figures[i]);
    }
    (void)fputs("]}\n", out);
}

/* Whole or not at all, so that nobody reads half a file. */
static void json_file(const struct report *r, const char *folder)
{
    char path[4096], temporary[4100];
    (void)snprintf(path, sizeof path, "%s/%s.json", folder, r->name);
    (void)snprintf(temporary, sizeof temporary, "%s~", path);
    FILE *out = fopen(temporary, "w");
    if (out == NULL)
        die(temporary);
    json(out, r);
    if (fclose(out) != 0 || rename(temporary, path) != 0)
        die(path);
}

void report_close(struct report *r)
{
    const char *folder = getenv("MOX_BENCH_JSON_DIR");
    for (size_t i = 0; i < r->machine_count; i++) {
        const struct machine *m = &r->machine[i];
        if (m->times > 1)
            (void)printf("  machine: %s %.0f %s, mean of %u (%.0f to %.0f)\n", m->what,
                         m->sum / m->times, m->unit, m->times, m->low, m->high);
    }
    json(stdout, r);
    if (folder != NULL)
        json_file(r, folder);
    if (fflush(stdout) != 0)
        die("stdout");
}
