/*
 * connection.c - one blocking call of the Administration API at a time
 *
 * The loop runs just while a call is under way. TLS is verified against --ca or the system's
 * certificates; with --pkv3 the pinned key counts instead, before anything is sent (SH-05).
 */
#include <string.h>

#include <mailkeep/crypto.h>
#include <mailkeep/net.h>

#include "internal.h"

#define CALL_MS 90000 /* longer than the server lets get-status wait */
#define ANSWER_MAX_BYTES (256u << 20)

struct Connection {
    MkLoop *loop;
    MkTls *tls;
    char *host;
    uint16_t port;
    char *fingerprint;
    char *authorization; /* secret */
    /* the call under way */
    yyjson_doc *doc;
    GError *error;
};

static char *basic(const char *user, const char *password)
{
    g_autofree char *plain = g_strdup_printf("%s:%s", user, password);
    g_autofree char *text = g_base64_encode((const guchar *) plain, strlen(plain));
    char *field = g_strconcat("Basic ", text, NULL);

    mk_wipe(plain, strlen(plain));
    mk_wipe(text, strlen(text));
    return field;
}

Connection *connection_new(const Options *options, GError **error)
{
    g_autoptr(Connection) connection = g_new0(Connection, 1);

    if (!mk_crypto_init(error))
        return NULL;
    connection->loop = mk_loop_new(1, 1, error);
    if (connection->loop == NULL)
        return NULL;
    connection->tls = mk_tls_client_new(options->ca_file, options->fingerprint == NULL, error);
    if (connection->tls == NULL)
        return NULL;
    connection->host = g_strdup(options->host);
    connection->port = options->port;
    connection->fingerprint = g_strdup(options->fingerprint);
    connection->authorization = basic(options->user, options->password);
    return g_steal_pointer(&connection);
}

void connection_free(Connection *connection)
{
    if (connection == NULL)
        return;
    mk_tls_unref(connection->tls);
    g_clear_pointer(&connection->loop, mk_loop_free);
    g_free(connection->host);
    g_free(connection->fingerprint);
    mk_free_secret(connection->authorization);
    g_clear_error(&connection->error);
    g_free(connection);
}

static yyjson_doc *read_answer(const MkHttpAnswer *answer, GError **error)
{
    gsize length;
    const char *text = g_bytes_get_data(answer->body, &length);
    yyjson_doc *doc;

    switch (answer->status) {
    case 200:
    case 404: /* an unknown token: the envelope says so */ break;
    case 401:
        mk_fail(error, MK_ERROR_AUTH,
                "user name or password is wrong, or the user is no administrator");
        return NULL;
    case 403:
        mk_fail(error, MK_ERROR_AUTH,
                "this user has two-factor sign-in: make an app password in the web application, "
                "under \"My account\", and use it here");
        return NULL;
    case 429: mk_fail(error, MK_ERROR_BUSY, "too many failed logins; try again later"); return NULL;
    default:
        mk_fail(error, MK_ERROR_NETWORK, "the server answered with HTTP status %u", answer->status);
        return NULL;
    }
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        length -= 3;
    }
    doc = length > 0 ? yyjson_read(text, length, 0) : NULL;
    if (doc == NULL)
        mk_fail(error, MK_ERROR_NETWORK,
                "the server's answer is not JSON; is this the Administration API?");
    return doc;
}

static void on_answer(const MkHttpAnswer *answer, const GError *error, void *cookie)
{
    Connection *connection = cookie;

    if (error != NULL)
        connection->error = g_error_copy(error);
    else
        connection->doc = read_answer(answer, &connection->error);
    mk_loop_stop(connection->loop);
}

yyjson_doc *connection_post(Connection *connection, const char *action, const char *form,
                            GError **error)
{
    g_autofree char *target = g_strconcat("/api/", action, NULL);
    const char *headers[] = { "Authorization", connection->authorization, "Content-Type",
                              "application/x-www-form-urlencoded", NULL };
    MkHttpCall call = {
        .host = connection->host,
        .port = connection->port,
        .tls = connection->tls,
        .fingerprint = connection->fingerprint,
        .method = "POST",
        .target = target,
        .headers = headers,
        .body = form != NULL ? form : "",
        .body_length = form != NULL ? strlen(form) : 0,
        .timeout_ms = CALL_MS,
        .answer_max_bytes = ANSWER_MAX_BYTES,
    };

    connection->doc = NULL;
    mk_http_call(connection->loop, &call, on_answer, connection);
    mk_loop_run(connection->loop);
    if (connection->doc == NULL)
        g_propagate_error(error, g_steal_pointer(&connection->error));
    return g_steal_pointer(&connection->doc);
}
