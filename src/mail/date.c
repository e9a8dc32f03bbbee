/*
 * date.c - the date of a Date or Received field
 *
 *   date-time = [day-name [","]] day month year time [zone]        ; RFC 5322 3.3 and 4.3
 *   month     = "Jan" / ...                                        ; longer names too
 *   year      = 1*4DIGIT         ; below 50: 20xx; below 1000: 1900 more ("0102" was 2002)
 *   time      = hour ":" minute [":" second]
 *   zone      = ["+" / "-"] 3*4DIGIT / name                        ; unknown names are UTC
 *
 * Blanks, comments and "-" may stand between all of it. What does not fit is left to GMime, which
 * knows more forms but loses zones behind comments and in lower case.
 */
#include <string.h>

#include <gmime/gmime.h>

#include "internal.h"

#define DATE_BYTES 256
#define ZONE_MINUTES (24 * 60) /* more is no zone; no place on earth has more than 14 hours */

static const char *skip_blanks(const char *p)
{
    while (*p == ' ')
        p++;
    return p;
}

static bool read_number(const char **p, int max, int *out)
{
    const char *at = skip_blanks(*p);
    int value = 0;

    if (!g_ascii_isdigit(*at))
        return false;
    for (; g_ascii_isdigit(*at); at++)
        value = MIN(value * 10 + (*at - '0'), 100000);
    *p = at;
    *out = value;
    return value <= max;
}

static bool read_month(const char **p, int *out)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

    *p = skip_blanks(*p);
    for (int i = 0; i < 12; i++)
        if (g_ascii_strncasecmp(*p, names + i * 3, 3) == 0) {
            *out = i + 1;
            while (g_ascii_isalpha(**p))
                (*p)++;
            return true;
        }
    return false;
}

static bool read_year(const char **p, int *out)
{
    if (!read_number(p, 9999, out))
        return false;
    if (*out < 50)
        *out += 2000;
    else if (*out < 1000)
        *out += 1900;
    return true;
}

/* Seconds of the day. */
static bool read_time(const char **p, int *out)
{
    int hour, minute, second = 0;

    if (!read_number(p, 24, &hour) || *(*p = skip_blanks(*p)) != ':')
        return false;
    ++*p;
    if (!read_number(p, 59, &minute))
        return false;
    *p = skip_blanks(*p);
    if (**p == ':') {
        ++*p;
        if (!read_number(p, 60, &second))
            return false;
    }
    *out = hour * 3600 + minute * 60 + second;
    return true;
}

static int named_zone(const char *p)
{
    static const struct {
        const char *name;
        int hours;
    } zones[] = {
        { "EST", -5 }, { "EDT", -4 }, { "CST", -6 }, { "CDT", -5 }, { "MST", -7 }, { "MDT", -6 },
        { "PST", -8 }, { "PDT", -7 }, { "CET", 1 },  { "CEST", 2 }, { "MET", 1 },  { "MEST", 2 },
        { "MEZ", 1 },  { "BST", 1 },  { "WEST", 1 }, { "EET", 2 },  { "EEST", 3 }, { "JST", 9 },
    };
    size_t length = strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    for (size_t i = 0; i < G_N_ELEMENTS(zones); i++)
        if (strlen(zones[i].name) == length && g_ascii_strncasecmp(p, zones[i].name, length) == 0)
            return zones[i].hours * 60;
    return 0;
}

/* Minutes east of UTC; 0 if there is none that can be. */
static int read_zone(const char *p)
{
    int sign = 1, value;

    p = skip_blanks(p);
    if (*p == '-' || *p == '+')
        sign = *p++ == '-' ? -1 : 1;
    if (!read_number(&p, 9999, &value))
        return named_zone(p);
    value = value / 100 * 60 + value % 100;
    return value <= ZONE_MINUTES ? sign * value : 0;
}

/* Days since 1970-01-01 in the Gregorian calendar; the year is counted from March. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t era_day = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return y * 365 + y / 4 - y / 100 + y / 400 + era_day - 719468;
}

static bool parse(const char *p, int64_t *out_unix_s)
{
    int day, month, year, second;

    p = skip_blanks(p);
    while (g_ascii_isalpha(*p))
        p++;
    while (*p == ' ' || *p == ',' || *p == '.')
        p++;
    if (!read_number(&p, 31, &day) || day == 0)
        return false;
    p += strspn(p, " -");
    if (!read_month(&p, &month))
        return false;
    p += strspn(p, " -,.");
    if (!read_year(&p, &year) || !read_time(&p, &second))
        return false;
    *out_unix_s = days_of(year, month, day) * 86400 + second - read_zone(p) * 60;
    return true;
}

static void remove_comments(GString *line)
{
    unsigned depth = 0;
    size_t n = 0;

    for (size_t i = 0; i < line->len; i++) {
        char c = line->str[i];

        depth += c == '(';
        if (depth == 0)
            line->str[n++] = c;
        else
            depth -= c == ')';
    }
    g_string_truncate(line, n);
}

int64_t mk_value_date(MkSpan value)
{
    GDateTime *date = NULL;
    int64_t unix_s = 0;
    GString *line;

    value.length = MIN(value.length, DATE_BYTES);
    line = mk_value_unfold(value);
    remove_comments(line);
    if (!parse(line->str, &unix_s) && (date = g_mime_utils_header_decode_date(line->str))) {
        unix_s = g_date_time_to_unix(date);
        g_date_time_unref(date);
    }
    g_string_free(line, TRUE);
    return unix_s * 1000;
}
