/*
 * train.c - dictionaries learnt from the store's own mails
 *
 * The first soon, since it is worth a quarter of the disk; later ones ever more rarely, since each
 * takes some processor time and stays for ever.
 */
#define ZDICT_STATIC_LINKING_ONLY
#include <string.h>

#include <zdict.h>

#include "internal.h"

#define DICTIONARY_BYTES (160u << 10)
#define SAMPLE_BYTES (16u << 10)     /* of one mail; what repeats stands in front */
#define ALL_SAMPLES_BYTES (4u << 20) /* training takes a third of a second */
#define MAX_SAMPLES 1200
#define TRAIN_IDLE 0
#define TRAIN_RUNNING 1
#define TRAIN_FAILED 2

static const uint64_t thresholds[] = { 150, 2000, 20000, 200000 };

bool mk_store_wants_training(MkStore *store)
{
    unsigned trained = codec_newest(store->codec) - DICTIONARY_BUILTIN;
    Checkpoint tail;
    uint64_t unused;

    if (trained >= G_N_ELEMENTS(thresholds) || g_atomic_int_get(&store->train_state) != TRAIN_IDLE)
        return false;
    committer_statistics(store->committer, &tail, &unused, &unused, &unused);
    return tail.mail_count >= thresholds[trained];
}

typedef struct {
    GByteArray *octets;
    GArray *sizes; /* size_t */
} Samples;

/* One that cannot be read is no reason to stop: verification is there to tell. */
static void add_sample(MkStore *store, uint32_t number, Samples *samples)
{
    g_auto(MailRow) row = { 0 };
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    g_autoptr(GByteArray) payload = NULL;
    bool found;
    size_t length;

    if (!mk_read_txn_begin(&txn, store->catalog, NULL) ||
        !catalog_find_mail(&txn, number, &row, &found, NULL) || !found)
        return;
    mk_txn_end(&txn);
    payload =
        reader_payload(&store->keys, &store->files, store->codec, &row.position, RECORD_MAIL, NULL);
    if (payload == NULL || payload->len <= 1 + MK_HASH_BYTES)
        return;
    length = MIN(payload->len - 1 - MK_HASH_BYTES, SAMPLE_BYTES);
    g_byte_array_append(samples->octets, payload->data + 1 + MK_HASH_BYTES, (guint) length);
    g_array_append_val(samples->sizes, length);
}

static void collect_samples(MkStore *store, uint32_t last_number, Samples *samples)
{
    uint32_t step = MAX(1, last_number / MAX_SAMPLES);

    /* Evenly over all: the newest alone made worse dictionaries where kinds of mail alternate. */
    for (uint32_t number = last_number;
         number >= 1 && number <= last_number && samples->octets->len < ALL_SAMPLES_BYTES;
         number -= step)
        add_sample(store, number, samples);
}

static GBytes *train_on(const Samples *samples, GError **error)
{
    ZDICT_fastCover_params_t parameters = {
        .k = 1024,
        .d = 8,
        .f = 20,
        .accel = 1,
        .zParams = { .compressionLevel = 3 },
    };
    uint8_t *dictionary = g_malloc(DICTIONARY_BYTES);
    size_t length = ZDICT_trainFromBuffer_fastCover(
        dictionary, DICTIONARY_BYTES, samples->octets->data,
        (const size_t *) (const void *) samples->sizes->data, samples->sizes->len, parameters);

    if (ZDICT_isError(length)) {
        g_free(dictionary);
        mk_fail(error, MK_ERROR_INTERNAL, "no dictionary can be made of these mails: %s",
                ZDICT_getErrorName(length));
        return NULL;
    }
    return g_bytes_new_take(dictionary, length);
}

static bool train(MkStore *store, GError **error)
{
    g_autoptr(GByteArray) octets = g_byte_array_new();
    g_autoptr(GArray) sizes = g_array_new(FALSE, FALSE, sizeof(size_t));
    Samples samples = { octets, sizes };
    GBytes *dictionary;
    Checkpoint tail;
    MkCommitted committed;
    uint64_t unused;
    Item *item;

    committer_settle(store->committer);
    committer_statistics(store->committer, &tail, &unused, &unused, &unused);
    collect_samples(store, tail.last_number, &samples);
    dictionary = train_on(&samples, error);
    if (dictionary == NULL)
        return false;
    item = g_new0(Item, 1);
    item->kind = ITEM_DICTIONARY;
    item->dictionary = dictionary;
    return committer_put_and_wait(store->committer, item, &committed, error);
}

bool mk_store_train(MkStore *store, GError **error)
{
    bool good;

    if (!g_atomic_int_compare_and_exchange(&store->train_state, TRAIN_IDLE, TRAIN_RUNNING))
        return mk_fail(error, MK_ERROR_BUSY, "the store is being trained already, or cannot be");
    good = train(store, error);
    /* Not again and again on mails that are too few or too much alike: at the next opening. */
    g_atomic_int_set(&store->train_state, good ? TRAIN_IDLE : TRAIN_FAILED);
    return good;
}
