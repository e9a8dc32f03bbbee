/*
 * date_preset.c - "last-month" as two moments, in the server's time zone (search-syntax.md 4)
 *
 * Each range is reckoned in days of the calendar and only then turned into moments, so that days
 * of 23 and 25 hours, and months across a change of the clock, come out whole.
 */
#include <string.h>

#include "internal.h"

enum { HOUR_S = 3600 };

static bool is_day(GTimeZone *zone, int64_t unix_s, const GDate *day)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(unix_s);
    g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, zone);

    return g_date_time_get_day_of_month(local) == (int) g_date_get_day(day);
}

/*
 * The first moment of a day: where the clock leaps over midnight, the next one there is, and where
 * it strikes midnight twice, the first.
 */
static int64_t day_begin_ms(GTimeZone *zone, const GDate *day)
{
    g_autoptr(GDateTime) midnight = g_date_time_new(
        zone, g_date_get_year(day), (int) g_date_get_month(day), g_date_get_day(day), 0, 0, 0);
    int64_t begin_s = g_date_time_to_unix(midnight);

    if (is_day(zone, begin_s - HOUR_S, day))
        begin_s -= HOUR_S;
    return begin_s * 1000;
}

static GDate today_in(GTimeZone *zone, int64_t now_unix_ms)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(now_unix_ms / 1000);
    g_autoptr(GDateTime) now = g_date_time_to_timezone(utc, zone);
    GDate today;

    g_date_clear(&today, 1);
    g_date_set_dmy(&today, (GDateDay) g_date_time_get_day_of_month(now),
                   (GDateMonth) g_date_time_get_month(now), (GDateYear) g_date_time_get_year(now));
    return today;
}

/* -- the first day of a range, and the one behind it ------------------------------------------- */
typedef enum { DAY, WEEK, MONTH, YEAR } Span;

static void to_begin(GDate *day, Span span)
{
    switch (span) {
    case DAY: break;
    case WEEK: g_date_subtract_days(day, g_date_get_weekday(day) - G_DATE_MONDAY); break;
    case MONTH: g_date_set_day(day, 1); break;
    case YEAR: g_date_set_dmy(day, 1, G_DATE_JANUARY, g_date_get_year(day)); break;
    }
}

static void add_span(GDate *day, Span span)
{
    switch (span) {
    case DAY: g_date_add_days(day, 1); break;
    case WEEK: g_date_add_days(day, 7); break;
    case MONTH: g_date_add_months(day, 1); break;
    case YEAR: g_date_add_years(day, 1); break;
    }
}

static void subtract_span(GDate *day, Span span)
{
    switch (span) {
    case DAY: g_date_subtract_days(day, 1); break;
    case WEEK: g_date_subtract_days(day, 7); break;
    case MONTH: g_date_subtract_months(day, 1); break;
    case YEAR: g_date_subtract_years(day, 1); break;
    }
}

static const struct {
    const char *name;
    Span span;
    bool is_last;
} presets[] = {
    { "today", DAY, false },      { "yesterday", DAY, true },     { "this-week", WEEK, false },
    { "last-week", WEEK, true },  { "this-month", MONTH, false }, { "last-month", MONTH, true },
    { "this-year", YEAR, false }, { "last-year", YEAR, true },
};

static void range_of(size_t preset, int64_t now_unix_ms, int64_t *out_from_ms, int64_t *out_to_ms)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_local();
    GDate from = today_in(zone, now_unix_ms), behind;

    to_begin(&from, presets[preset].span);
    if (presets[preset].is_last)
        subtract_span(&from, presets[preset].span);
    behind = from;
    add_span(&behind, presets[preset].span);
    *out_from_ms = day_begin_ms(zone, &from);
    *out_to_ms = day_begin_ms(zone, &behind) - 1;
}

bool mk_date_preset(const char *name, int64_t now_unix_ms, int64_t *out_from_ms, int64_t *out_to_ms)
{
    for (size_t i = 0; name != NULL && i < G_N_ELEMENTS(presets); i++)
        if (strcmp(presets[i].name, name) == 0) {
            range_of(i, now_unix_ms, out_from_ms, out_to_ms);
            return true;
        }
    return false;
}
