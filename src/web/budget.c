/*
 * budget.c - how many octets of mails may wait for slow readers
 *
 * A download holds its mail in memory until the client has taken it. The sum is bounded; only a
 * mail that is larger than all of that goes nevertheless, when it is alone.
 */
#include <pthread.h>

#include "internal.h"

struct WebBudget {
    gint refs; /* atomic: the web, and each GBytes that waits */
    pthread_mutex_t lock;
    uint64_t max_bytes;
    uint64_t used_bytes;
};

typedef struct {
    WebBudget *budget;
    GBytes *bytes;
    uint64_t size;
} Share;

WebBudget *web_budget_new(uint64_t max_bytes)
{
    WebBudget *budget = g_new0(WebBudget, 1);

    budget->refs = 1;
    budget->max_bytes = max_bytes;
    pthread_mutex_init(&budget->lock, NULL);
    return budget;
}

void web_budget_unref(WebBudget *budget)
{
    if (!g_atomic_int_dec_and_test(&budget->refs))
        return;
    pthread_mutex_destroy(&budget->lock);
    g_free(budget);
}

bool web_budget_take(WebBudget *budget, uint64_t size, GError **error)
{
    pthread_mutex_lock(&budget->lock);
    bool fits = budget->used_bytes == 0 ||
                (size <= budget->max_bytes && budget->used_bytes <= budget->max_bytes - size);
    if (fits)
        budget->used_bytes += size;
    pthread_mutex_unlock(&budget->lock);
    return fits || mk_fail(error, MK_ERROR_BUSY,
                           "Too much is being downloaded at once; try again in a moment.");
}

void web_budget_give(WebBudget *budget, uint64_t size)
{
    pthread_mutex_lock(&budget->lock);
    budget->used_bytes -= size;
    pthread_mutex_unlock(&budget->lock);
}

static void share_free(void *data)
{
    Share *share = data;

    g_bytes_unref(share->bytes);
    web_budget_give(share->budget, share->size);
    web_budget_unref(share->budget);
    g_free(share);
}

GBytes *web_budget_wrap(WebBudget *budget, GBytes *bytes, uint64_t size)
{
    Share *share = g_new0(Share, 1);
    gsize length = 0;
    const void *data = g_bytes_get_data(bytes, &length);

    g_atomic_int_inc(&budget->refs);
    share->budget = budget;
    share->bytes = bytes;
    share->size = size;
    return g_bytes_new_with_free_func(data, length, share_free, share);
}
