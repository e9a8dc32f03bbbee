/*
 * arrivals.c - when mail came: the archive's last days, and each gateway mailbox's
 *
 * The days of the archive are counted from the store when they are asked for. Of a mailbox there is
 * the time of its last mail and a bit for each of the 64 days up to it, from which it is known
 * whether its silence is a long one. That goes to the master database with the first mail of a
 * day: a stop costs the hour of the last mail, never its day.
 */
#include <string.h>

#include <mailkeep/log.h>

#include "internal.h"

enum { RECORD_VERSION = 1, DAY_BITS = 64 };
#define DAY_MS INT64_C(86400000)

/* -- one mailbox (pure) -------------------------------------------------------------------------- */
static int64_t day_of(int64_t unix_ms)
{
    return unix_ms / DAY_MS;
}

bool arrival_note(Arrival *arrival, int64_t unix_ms)
{
    int64_t passed = day_of(unix_ms) - day_of(arrival->last_unix_ms);
    uint64_t before = arrival->days;

    if (passed < 0) { /* the clock was put back */
        if (passed > -DAY_BITS)
            arrival->days |= UINT64_C(1) << -passed;
        return arrival->days != before;
    }
    arrival->days = (passed < DAY_BITS ? arrival->days << passed : 0) | 1;
    arrival->last_unix_ms = MAX(arrival->last_unix_ms, unix_ms);
    return passed > 0 || before == 0;
}

/* The most days from one with mail to the next. */
static int longest_pause(uint64_t days)
{
    int longest = 0;

    for (int day = 0, last = 0; day < DAY_BITS; day++) {
        if ((days >> day & 1) == 0)
            continue;
        longest = MAX(longest, day - last);
        last = day;
    }
    return longest;
}

bool arrival_is_silent(const Arrival *arrival, int64_t now_unix_ms)
{
    int64_t silence = day_of(now_unix_ms) - day_of(arrival->last_unix_ms);

    return __builtin_popcountll(arrival->days) >= MK_ARRIVAL_USED_DAYS &&
           silence > MAX(MK_ARRIVAL_SILENT_DAYS, 2 * longest_pause(arrival->days));
}

/* -- all of them --------------------------------------------------------------------------------- */
void arrival_table_init(ArrivalTable *table)
{
    pthread_mutex_init(&table->lock, NULL);
    table->by_gateway = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

void arrival_table_clear(ArrivalTable *table)
{
    g_hash_table_unref(table->by_gateway);
    pthread_mutex_destroy(&table->lock);
}

static bool load_row(uint32_t id, const GByteArray *value, void *cookie)
{
    ArrivalTable *table = &((MkArchive *) cookie)->arrivals;
    MkReader r = mk_reader(value->data, value->len);
    uint64_t count;

    if (id != SETTING_ARRIVALS)
        return true;
    if (mk_read_u8(&r) != RECORD_VERSION)
        return false;
    count = mk_read_varint(&r);
    for (uint64_t i = 0; i < count && !r.failed; i++) {
        char *gateway = mk_read_string(&r);
        Arrival *arrival = g_new0(Arrival, 1);

        arrival->last_unix_ms = (int64_t) mk_read_u64(&r);
        arrival->days = mk_read_u64(&r);
        g_hash_table_replace(table->by_gateway, gateway != NULL ? gateway : g_strdup(""), arrival);
    }
    return !r.failed && r.length == 0;
}

bool arrival_table_load(MkArchive *archive, GError **error)
{
    return master_each(archive->master, MASTER_SETTINGS, load_row, archive, error);
}

static GByteArray *table_format(MkArchive *archive)
{
    ArrivalTable *table = &archive->arrivals;
    GByteArray *out = g_byte_array_new();
    GHashTableIter iter;
    gpointer gateway, value;

    pthread_mutex_lock(&table->lock);
    mk_put_u8(out, RECORD_VERSION);
    mk_put_varint(out, g_hash_table_size(table->by_gateway));
    g_hash_table_iter_init(&iter, table->by_gateway);
    while (g_hash_table_iter_next(&iter, &gateway, &value)) {
        const Arrival *arrival = value;

        mk_put_string(out, gateway);
        mk_put_u64(out, (uint64_t) arrival->last_unix_ms);
        mk_put_u64(out, arrival->days);
    }
    pthread_mutex_unlock(&table->lock);
    return out;
}

/* -- kept by a job --------------------------------------------------------------------------------- */
typedef struct {
    MkJob job;
    MkArchive *archive;
} KeepJob;

static void keep_run(MkJob *job)
{
    MkArchive *archive = ((KeepJob *) job)->archive;
    g_autoptr(GByteArray) value = NULL;
    g_autoptr(GError) error = NULL;
    bool ok;

    pthread_mutex_lock(&archive->master_lock);
    value = table_format(archive); /* under it, so that an older state never comes last */
    ok = master_put(archive, MASTER_SETTINGS, SETTING_ARRIVALS, value, &error);
    pthread_mutex_unlock(&archive->master_lock);
    if (!ok)
        mk_log_warn("archive.arrivals-not-kept", "why", error->message);
}

static void keep_done(MkJob *job)
{
    MkArchive *archive = ((KeepJob *) job)->archive;

    g_free(job);
    archive_busy_end(archive);
}

static void keep(MkArchive *archive)
{
    KeepJob *job = g_new0(KeepJob, 1);

    job->job.run = keep_run;
    job->job.done = keep_done;
    job->archive = archive;
    if (mk_job_submit(archive->loop, MK_LANE_BACKGROUND, &job->job, NULL))
        archive_busy_begin(archive);
    else
        g_free(job); /* the first mail of the next day takes it along */
}

static bool note(ArrivalTable *table, const char *gateway_id, int64_t unix_ms)
{
    Arrival *arrival;
    bool first;

    pthread_mutex_lock(&table->lock);
    arrival = g_hash_table_lookup(table->by_gateway, gateway_id);
    if (arrival == NULL) {
        arrival = g_new0(Arrival, 1);
        g_hash_table_insert(table->by_gateway, g_strdup(gateway_id), arrival);
    }
    first = arrival_note(arrival, unix_ms);
    pthread_mutex_unlock(&table->lock);
    return first;
}

void arrival_table_note(MkArchive *archive, const char *gateway_id, int64_t unix_ms)
{
    if (gateway_id != NULL && note(&archive->arrivals, gateway_id, unix_ms))
        keep(archive);
}

void arrival_table_forget(ArrivalTable *table, const char *gateway_id)
{
    pthread_mutex_lock(&table->lock);
    g_hash_table_remove(table->by_gateway, gateway_id);
    pthread_mutex_unlock(&table->lock);
}

/* -- outside ----------------------------------------------------------------------------------- */
MkGatewayActivity mk_archive_gateway_activity(MkArchive *archive, const char *id,
                                              int64_t now_unix_ms)
{
    ArrivalTable *table = &archive->arrivals;
    MkGatewayActivity activity = { 0 };
    const Arrival *arrival;

    pthread_mutex_lock(&table->lock);
    arrival = g_hash_table_lookup(table->by_gateway, id);
    if (arrival != NULL)
        activity =
            (MkGatewayActivity){ arrival->last_unix_ms, arrival_is_silent(arrival, now_unix_ms) };
    pthread_mutex_unlock(&table->lock);
    return activity;
}

static int64_t midnight(GDateTime *today, int days_before)
{
    g_autoptr(GDateTime) day = g_date_time_add_days(today, -days_before);
    g_autoptr(GDateTime) begin =
        g_date_time_new_local(g_date_time_get_year(day), g_date_time_get_month(day),
                              g_date_time_get_day_of_month(day), 0, 0, 0);

    return g_date_time_to_unix(begin) * 1000;
}

/* Of all stores. */
static bool count_since(MkArchive *archive, int64_t unix_ms, uint64_t *out, GError **error)
{
    *out = 0;
    for (guint i = 0; i < archive->stores->len; i++) {
        uint64_t count;

        if (!mk_store_count_since(((ArchiveStore *) archive->stores->pdata[i])->store, unix_ms,
                                  &count, error))
            return false;
        *out += count;
    }
    return true;
}

bool mk_archive_arrival_days(MkArchive *archive, int64_t now_unix_ms,
                             MkArrivalDay out[MK_ARRIVAL_DAYS], GError **error)
{
    g_autoptr(GDateTime) today = g_date_time_new_from_unix_local(now_unix_ms / 1000);
    uint64_t later = 0, since;

    for (int before = 0; before < MK_ARRIVAL_DAYS; before++) {
        MkArrivalDay *day = &out[MK_ARRIVAL_DAYS - 1 - before];

        day->begins_unix_ms = midnight(today, before);
        if (!count_since(archive, day->begins_unix_ms, &since, error))
            return false;
        day->mail_count = since > later ? since - later : 0;
        later = MAX(later, since);
    }
    return true;
}
