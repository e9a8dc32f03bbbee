/*
 * committer.c - the thread that owns the pack's end and the catalog's write transaction
 *
 *   WAITING --items--> BATCH [batch_run] --> WAITING
 *      |  +--200 ms since the first uncommitted batch, or a reader waits--> CATALOG --> WAITING
 *      +--stop, nothing queued--> CATALOG --> ended
 *
 * It takes all that waits at once, so the cost of a flush is shared by those who came during
 * the last one. The catalog's own commit is put off, for its flush is not needed for safety.
 */
#include <string.h>
#include <time.h>

#include <mailkeep/base.h>

#include "internal.h"

#define CATALOG_DELAY_US (200 * G_TIME_SPAN_MILLISECOND)
#define CATALOG_RECORDS 4000 /* keeps a transaction's dirty pages to some megabytes */

struct Committer {
    BatchState state; /* the thread's, but for its atomics and touched */
    pthread_t thread;
    pthread_mutex_t lock;   /* of all below */
    pthread_cond_t work;    /* the thread waits: items, stop, settle */
    pthread_cond_t room;    /* submitters wait */
    pthread_cond_t settled; /* readers wait */
    GQueue items;
    size_t queued_bytes;
    bool stop;
    uint64_t settle_wanted;
    uint64_t settle_done;
    uint64_t forget;
    /* a copy for mk_store_statistics() */
    Checkpoint tail;
    uint64_t content_end;
    uint64_t batches, mails;
};

static size_t weight(const Item *item)
{
    return 256 + (item->prepared != NULL ? item->prepared->weight : 0);
}

/* -- the thread ----------------------------------------------------------------------------- */

static GPtrArray *take_locked(Committer *committer)
{
    GPtrArray *items = g_ptr_array_new_with_free_func((GDestroyNotify) item_free);
    size_t bytes = 0;

    while (!g_queue_is_empty(&committer->items) && items->len < MK_LIMIT_BATCH_MAILS &&
           bytes < MK_LIMIT_BATCH_BYTES) {
        Item *item = g_queue_pop_head(&committer->items);

        bytes += weight(item);
        g_ptr_array_add(items, item);
    }
    committer->queued_bytes -= bytes;
    return items;
}

static void run_batch_locked(Committer *committer)
{
    g_autoptr(GPtrArray) items = take_locked(committer);
    g_autoptr(GError) failure = NULL;
    guint mails = 0;

    pthread_cond_broadcast(&committer->room);
    pthread_mutex_unlock(&committer->lock);
    batch_run(&committer->state, items, &failure);
    for (guint i = 0; i < items->len; i++)
        mails += ((Item *) items->pdata[i])->kind == ITEM_MAIL;
    pthread_mutex_lock(&committer->lock);
    committer->tail = committer->state.tail;
    committer->content_end = committer->state.writer.end;
    committer->batches++;
    committer->mails += mails;
    pthread_mutex_unlock(&committer->lock);
    batch_finish(items, failure); /* unlocked: the functions are strangers */
    pthread_mutex_lock(&committer->lock);
}

static void commit_catalog_locked(Committer *committer)
{
    uint64_t wanted = committer->settle_wanted;
    uint64_t forget = committer->forget;

    pthread_mutex_unlock(&committer->lock);
    /* A failure leaves the catalog behind; the next reader or batch tries again. */
    batch_commit_catalog(&committer->state, forget, NULL);
    pthread_mutex_lock(&committer->lock);
    committer->settle_done = wanted;
    pthread_cond_broadcast(&committer->settled);
}

/* Waits for something to do; true when the catalog should be committed now. */
static bool wait_locked(Committer *committer, gint64 deadline)
{
    bool open = committer->state.txn.txn != NULL;
    struct timespec until = { deadline / G_USEC_PER_SEC, deadline % G_USEC_PER_SEC * 1000 };

    while (g_queue_is_empty(&committer->items) && !committer->stop &&
           committer->settle_wanted == committer->settle_done) {
        if (!open)
            pthread_cond_wait(&committer->work, &committer->lock);
        else if (pthread_cond_timedwait(&committer->work, &committer->lock, &until) != 0)
            return true;
    }
    return committer->settle_wanted != committer->settle_done ||
           (open && (g_get_monotonic_time() >= deadline ||
                     committer->state.uncommitted_mails >= CATALOG_RECORDS));
}

static void *committer_main(void *data)
{
    Committer *committer = data;
    gint64 deadline = 0;

    pthread_mutex_lock(&committer->lock);
    for (;;) {
        bool was_open = committer->state.txn.txn != NULL;

        if (wait_locked(committer, deadline)) {
            commit_catalog_locked(committer);
            continue;
        }
        if (g_queue_is_empty(&committer->items))
            break; /* stop */
        run_batch_locked(committer);
        if (!was_open)
            deadline = g_get_monotonic_time() + CATALOG_DELAY_US;
    }
    commit_catalog_locked(committer);
    pthread_mutex_unlock(&committer->lock);
    return NULL;
}

Committer *committer_start(MkStore *store, const Checkpoint *checkpoint, PackWriter *writer)
{
    Committer *committer = g_new0(Committer, 1);
    pthread_condattr_t monotonic;

    pthread_mutex_init(&committer->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC); /* wait_locked()'s deadline */
    pthread_cond_init(&committer->work, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_cond_init(&committer->room, NULL);
    pthread_cond_init(&committer->settled, NULL);
    g_queue_init(&committer->items);
    committer->state.store = store;
    committer->state.writer = *writer;
    committer->state.tail = *checkpoint;
    committer->state.touched = g_hash_table_new(g_direct_hash, g_direct_equal);
    pthread_mutex_init(&committer->state.touched_lock, NULL);
    committer->state.committed_number = (gint) checkpoint->last_number;
    committer->tail = *checkpoint;
    committer->content_end = writer->end;
    if (pthread_create(&committer->thread, NULL, committer_main, committer) != 0)
        g_error("no thread for the committer");
    pthread_setname_np(committer->thread, "committer");
    return committer;
}

void committer_stop(Committer *committer)
{
    if (committer == NULL)
        return;
    pthread_mutex_lock(&committer->lock);
    committer->stop = true;
    pthread_cond_broadcast(&committer->work);
    pthread_mutex_unlock(&committer->lock);
    pthread_join(committer->thread, NULL);
    mk_txn_end(&committer->state.txn);
    pack_writer_close(&committer->state.writer);
    g_hash_table_unref(committer->state.touched);
    pthread_mutex_destroy(&committer->state.touched_lock);
    pthread_cond_destroy(&committer->work);
    pthread_cond_destroy(&committer->room);
    pthread_cond_destroy(&committer->settled);
    pthread_mutex_destroy(&committer->lock);
    g_free(committer);
}

/* -- for the lanes --------------------------------------------------------------------------- */

void committer_put(Committer *committer, Item *item)
{
    size_t bytes = weight(item);

    pthread_mutex_lock(&committer->lock);
    while (committer->queued_bytes > 0 &&
           committer->queued_bytes + bytes > MK_LIMIT_COMMIT_QUEUE_BYTES)
        pthread_cond_wait(&committer->room, &committer->lock);
    g_queue_push_tail(&committer->items, item);
    committer->queued_bytes += bytes;
    pthread_cond_signal(&committer->work);
    pthread_mutex_unlock(&committer->lock);
}

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t done_cond;
    bool done;
    MkCommitted committed;
    GError *error;
} Waiter;

static void on_waited(const MkCommitted *committed, const GError *error, void *cookie)
{
    Waiter *waiter = cookie;

    pthread_mutex_lock(&waiter->lock);
    waiter->committed = *committed;
    waiter->error = error != NULL ? g_error_copy(error) : NULL;
    waiter->done = true;
    pthread_cond_signal(&waiter->done_cond);
    pthread_mutex_unlock(&waiter->lock);
}

bool committer_put_and_wait(Committer *committer, Item *item, MkCommitted *out, GError **error)
{
    Waiter waiter = { .done = false };

    pthread_mutex_init(&waiter.lock, NULL);
    pthread_cond_init(&waiter.done_cond, NULL);
    item->func = on_waited;
    /* cppcheck-suppress autoVariables ; on_waited() has run when this function returns */
    item->cookie = &waiter;
    committer_put(committer, item);
    pthread_mutex_lock(&waiter.lock);
    while (!waiter.done)
        pthread_cond_wait(&waiter.done_cond, &waiter.lock);
    pthread_mutex_unlock(&waiter.lock);
    pthread_mutex_destroy(&waiter.lock);
    pthread_cond_destroy(&waiter.done_cond);
    if (waiter.error != NULL) {
        g_propagate_error(error, waiter.error);
        return false;
    }
    *out = waiter.committed;
    return true;
}

void committer_settle(Committer *committer)
{
    uint64_t ticket;

    if (!g_atomic_int_get(&committer->state.dirty))
        return;
    pthread_mutex_lock(&committer->lock);
    ticket = ++committer->settle_wanted;
    pthread_cond_signal(&committer->work);
    while (committer->settle_done < ticket)
        pthread_cond_wait(&committer->settled, &committer->lock);
    pthread_mutex_unlock(&committer->lock);
}

void committer_settle_mail(Committer *committer, uint32_t number)
{
    BatchState *state = &committer->state;
    bool wait;

    if (!g_atomic_int_get(&state->dirty))
        return;
    pthread_mutex_lock(&state->touched_lock);
    wait = number > (uint32_t) g_atomic_int_get(&state->committed_number) ||
           g_hash_table_contains(state->touched, GUINT_TO_POINTER(number));
    pthread_mutex_unlock(&state->touched_lock);
    if (wait)
        committer_settle(committer);
}

void committer_forget_changes(Committer *committer, uint64_t sequence)
{
    pthread_mutex_lock(&committer->lock);
    committer->forget = MAX(committer->forget, sequence);
    pthread_mutex_unlock(&committer->lock);
}

void committer_statistics(Committer *committer, Checkpoint *out, uint64_t *out_batches,
                          uint64_t *out_mails, uint64_t *out_pack_end)
{
    pthread_mutex_lock(&committer->lock);
    *out = committer->tail;
    *out_batches = committer->batches;
    *out_mails = committer->mails;
    *out_pack_end = committer->content_end;
    pthread_mutex_unlock(&committer->lock);
}

/* -- for the outside ---------------------------------------------------------------------------- */

void mk_store_submit(MkStore *store, MkPreparedMail *prepared, MkCommittedFunc on_committed,
                     void *cookie)
{
    Item *item = g_new0(Item, 1);

    item->kind = ITEM_MAIL;
    item->prepared = prepared;
    item->func = on_committed;
    item->cookie = cookie;
    committer_put(store->committer, item);
}

bool mk_store_add(MkStore *store, const MkNewMail *mail, MkCommitted *out, GError **error)
{
    MkPreparedMail *prepared = mk_store_prepare(store, mail, error);
    MkCommitted committed;
    Item *item;

    if (prepared == NULL)
        return false;
    item = g_new0(Item, 1);
    item->kind = ITEM_MAIL;
    item->prepared = prepared;
    if (!committer_put_and_wait(store->committer, item, &committed, error))
        return false;
    if (out != NULL)
        *out = committed;
    return true;
}
