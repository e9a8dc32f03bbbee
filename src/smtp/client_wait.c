/*
 * client_wait.c - sending for those who may block: the loop sends, a lane waits
 *
 * The two share a Wait with a reference each. A lane that gives up leaves at once, even when the
 * loop is itself waiting for the lanes to end; the loop then cuts the mail off when it comes to it.
 */
#include <pthread.h>
#include <time.h>

#include "client_internal.h"

enum { LOOK_EVERY_MS = 100 };

typedef struct {
    gint refs; /* atomic */
    /* constant */
    MkLoop *loop;
    MkSmtpRelay *relay;
    char **forward_paths;
    GBytes *mail;
    /* under the lock */
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool has_ended;
    GError *error;
    unsigned reply_code;
    /* loop only */
    MkSmtpSend *send;
} Wait;

static void wait_unref(Wait *wait)
{
    if (!g_atomic_int_dec_and_test(&wait->refs))
        return;
    pthread_cond_destroy(&wait->ended);
    pthread_mutex_destroy(&wait->lock);
    mk_smtp_relay_unref(wait->relay);
    g_strfreev(wait->forward_paths);
    g_bytes_unref(wait->mail);
    g_clear_error(&wait->error);
    g_free(wait);
}

/* -- the loop's side -------------------------------------------------------------------------- */
static void on_sent(const MkSmtpOutcome *outcome, void *cookie)
{
    Wait *wait = cookie;

    wait->send = NULL;
    pthread_mutex_lock(&wait->lock);
    wait->has_ended = true;
    wait->error = outcome->error != NULL ? g_error_copy(outcome->error) : NULL;
    wait->reply_code = outcome->reply_code;
    pthread_cond_signal(&wait->ended);
    pthread_mutex_unlock(&wait->lock);
    wait_unref(wait);
}

static void on_start(void *cookie)
{
    Wait *wait = cookie;

    wait->send = mk_smtp_send(wait->loop, wait->relay, (const char *const *) wait->forward_paths,
                              wait->mail, on_sent, wait);
}

static void on_give_up(void *cookie)
{
    Wait *wait = cookie;

    if (wait->send != NULL) { /* else its end was on the way */
        mk_smtp_send_cancel(g_steal_pointer(&wait->send));
        wait_unref(wait);
    }
    wait_unref(wait);
}

/* -- the lane's side -------------------------------------------------------------------------- */
static Wait *wait_new(MkLoop *loop, MkSmtpRelay *relay, const char *const *forward_paths,
                      GBytes *mail)
{
    Wait *wait = g_new0(Wait, 1);
    pthread_condattr_t monotonic;

    wait->refs = 2;
    wait->loop = loop;
    wait->relay = mk_smtp_relay_ref(relay);
    wait->forward_paths = g_strdupv((char **) forward_paths);
    wait->mail = g_bytes_ref(mail);
    pthread_mutex_init(&wait->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&wait->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return wait;
}

static void look_again_at(struct timespec *out)
{
    clock_gettime(CLOCK_MONOTONIC, out);
    out->tv_nsec += LOOK_EVERY_MS * 1000000L;
    if (out->tv_nsec >= 1000000000L) {
        out->tv_nsec -= 1000000000L;
        out->tv_sec++;
    }
}

/* True: it has ended; @wait's results are there. */
static bool wait_for_end(Wait *wait, bool (*is_cancelled)(void *cookie), void *cookie)
{
    bool ended;

    pthread_mutex_lock(&wait->lock);
    while (!wait->has_ended && (is_cancelled == NULL || !is_cancelled(cookie))) {
        struct timespec until;

        look_again_at(&until);
        pthread_cond_timedwait(&wait->ended, &wait->lock, &until);
    }
    ended = wait->has_ended;
    pthread_mutex_unlock(&wait->lock);
    return ended;
}

bool mk_smtp_send_wait(MkLoop *loop, MkSmtpRelay *relay, const char *const *forward_paths,
                       GBytes *mail, bool (*is_cancelled)(void *cookie), void *cookie,
                       unsigned *out_code, GError **error)
{
    Wait *wait = wait_new(loop, relay, forward_paths, mail);
    bool ok;

    mk_loop_post(loop, on_start, wait);
    if (!wait_for_end(wait, is_cancelled, cookie)) {
        mk_loop_post(loop, on_give_up, wait);
        return mk_fail(error, MK_ERROR_CANCELLED, "Sending was cancelled.");
    }
    if (out_code != NULL)
        *out_code = wait->reply_code;
    ok = wait->error == NULL;
    if (!ok)
        g_propagate_error(error, g_steal_pointer(&wait->error));
    wait_unref(wait);
    return ok;
}
