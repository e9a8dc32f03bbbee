/* fixture.c - see fixture.h */
#include <stdio.h>
#include <string.h>

#include <mailkeep/crypto.h>
#include <mailkeep/mail.h>

#include "fixture.h"

#define MAP_SIZE_BYTES (1ull << 30)

void fixture_setup(void)
{
    mk_log_set_level(MK_LOG_ERROR);
    mk_mail_init();
    g_assert_true(mk_crypto_init(NULL));
}

static void make_archive(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    char *recovery = NULL;

    f->dir = g_dir_make_tmp("mailkeep-admin-XXXXXX", &error);
    g_assert_no_error(error);
    mk_archive_init(f->dir, ADMIN_PASSWORD, MAP_SIZE_BYTES, &recovery, &error);
    g_assert_no_error(error);
    mk_free_secret(recovery);
    f->archive = mk_archive_open(f->loop, f->dir, MAP_SIZE_BYTES, &error);
    g_assert_no_error(error);
    f->system = mk_principal_system(f->archive);
}

static MkSettings *make_settings(const char *dir)
{
    g_autofree char *text = g_strdup_printf("hostname: archive.example\ndata_dir: %s\n", dir);
    g_autoptr(GError) error = NULL;
    MkSettings *settings = mk_settings_parse(text, strlen(text), "test", false, &error);

    g_assert_no_error(error);
    return settings;
}

void fixture_init(Fixture *f, MkHttpHandler handler)
{
    g_autoptr(GError) error = NULL;

    *f = (Fixture){ .counter.max = 200 };
    f->loop = mk_loop_new(2, 2, &error);
    g_assert_no_error(error);
    make_archive(f);
    f->settings = make_settings(f->dir);
    f->admin = mk_admin_new(f->loop, f->archive, f->settings);
    f->server = handler != NULL ? mk_http_server_new(f->loop, handler, f)
                                : mk_http_server_new(f->loop, mk_admin_handle, f->admin);
    f->listener = mk_listener_new(f->loop, "127.0.0.1", 0, NULL, &f->counter, mk_http_server_accept,
                                  f->server, &error);
    g_assert_no_error(error);
}

static void on_stopped(void *cookie)
{
    *(bool *) cookie = true;
}

static void remove_tree(const char *dir)
{
    g_autoptr(GDir) handle = g_dir_open(dir, 0, NULL);
    const char *name;

    while (handle != NULL && (name = g_dir_read_name(handle)) != NULL) {
        g_autofree char *path = g_build_filename(dir, name, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            remove_tree(path);
        else
            remove(path);
    }
    remove(dir);
}

void fixture_clear(Fixture *f)
{
    bool stopped = false;

    mk_listener_free(f->listener);
    mk_admin_stop(f->admin);
    WAIT(f, mk_admin_is_idle(f->admin));
    mk_archive_stop(f->archive, on_stopped, &stopped);
    WAIT(f, stopped);
    mk_http_server_free(f->server);
    mk_admin_free(f->admin);
    mk_principal_unref(f->system);
    mk_archive_close(f->archive);
    mk_loop_free(f->loop);
    mk_settings_free(f->settings);
    remove_tree(f->dir);
    g_free(f->dir);
}

MkPrincipal *fixture_add_user(Fixture *f, const char *name)
{
    g_autoptr(GError) error = NULL;
    MkPrincipal *principal;

    mk_archive_user_create(f->archive, name, MK_PRIVILEGE_LOGIN, &error);
    g_assert_no_error(error);
    mk_archive_user_set_password(f->archive, name, ADMIN_PASSWORD, &error);
    g_assert_no_error(error);
    principal = mk_archive_login(f->archive, name, ADMIN_PASSWORD, "192.0.2.1", "test", &error);
    g_assert_no_error(error);
    return principal;
}

/* -- calls --------------------------------------------------------------------------------- */
static void on_answer(const MkHttpAnswer *answer, const GError *error, void *cookie)
{
    Reply *reply = cookie;
    gsize length = 0;
    const char *text;

    reply->done = true;
    reply->failed = error != NULL;
    text = g_bytes_get_data(answer->body, &length);
    reply->has_bom = length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
    if (reply->has_bom) {
        text += 3;
        length -= 3;
    }
    reply->text = length > 0 ? g_strndup(text, length) : g_strdup("");
    reply->status = answer->status;
    reply->content_type = g_strdup(answer->content_type);
    reply->json = yyjson_read(reply->text, strlen(reply->text), 0);
}

void reply_begin(Reply *reply, Fixture *f, const char *method, const char *path, const char *login,
                 const char *form)
{
    g_autofree char *code =
        login != NULL ? g_base64_encode((const guchar *) login, strlen(login)) : NULL;
    g_autofree char *basic = g_strconcat("Basic ", code, NULL);
    const char *headers[] = { login != NULL ? "Authorization" : NULL, basic, NULL };
    MkHttpCall call = {
        .host = "127.0.0.1",
        .port = mk_listener_port(f->listener),
        .method = method,
        .target = path,
        .headers = headers,
        .body = form,
        .body_length = form != NULL ? strlen(form) : 0,
        .timeout_ms = 90000,
        .answer_max_bytes = 16 << 20,
    };

    *reply = (Reply){ .fixture = f };
    mk_http_call(f->loop, &call, on_answer, reply);
}

void reply_wait(Reply *reply)
{
    WAIT(reply->fixture, reply->done);
    g_assert_false(reply->failed);
}

bool reply_still_waits(Reply *reply, unsigned ms)
{
    int64_t end_ms = mk_clock_monotonic_ms() + ms;

    while (!reply->done && mk_clock_monotonic_ms() < end_ms) {
        mk_loop_turn(reply->fixture->loop);
        g_usleep(200);
    }
    return !reply->done;
}

void reply_clear(Reply *reply)
{
    g_clear_pointer(&reply->text, g_free);
    g_clear_pointer(&reply->content_type, g_free);
    g_clear_pointer(&reply->json, yyjson_doc_free);
}

void reply_get(Reply *reply, Fixture *f, const char *path, const char *login, const char *form)
{
    reply_clear(reply);
    reply_begin(reply, f, "POST", path, login, form);
    reply_wait(reply);
}

static yyjson_val *member(const Reply *reply, const char *key)
{
    yyjson_val *value = yyjson_obj_get(yyjson_doc_get_root(reply->json), key);

    g_assert_nonnull(value);
    return value;
}

const char *reply_text(const Reply *reply, const char *key)
{
    yyjson_val *value = member(reply, key);

    return yyjson_is_null(value) ? "null" : yyjson_get_str(value);
}

int64_t reply_number(const Reply *reply, const char *key)
{
    yyjson_val *value = member(reply, key);

    g_assert_true(yyjson_is_int(value));
    return yyjson_get_sint(value);
}

const char *reply_error(const Reply *reply)
{
    return yyjson_get_str(yyjson_obj_get(member(reply, "error"), "message"));
}
