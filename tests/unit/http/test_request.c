/* test_request.c - Basic (RFC 7617 2, examples from there) and cookies */
#include <string.h>

#include "http/internal.h"

static const struct {
    const char *field; /* NULL: none */
    const char *user;  /* NULL: refused */
    const char *password;
} credentials[] = {
    { "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame" },
    { "basic   QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame" },
    { "Basic dGVzdDoxMjPCow==", "test", "123\xc2\xa3" },
    { "Basic YTpiOmM=", "a", "b:c" },
    { "Basic Og==", "", "" },
    { NULL, NULL, NULL },
    { "Basic", NULL, NULL },
    { "Basic ", NULL, NULL },
    { "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==", NULL, NULL },
    { "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=", NULL, NULL },
    { "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== x", NULL, NULL },
    { "Basic QWxhZGRpbjpv=cGVuIHNlc2FtZQ=", NULL, NULL },
    { "Basic QWxh*GRpbjpvcGVuIHNlc2FtZQ==", NULL, NULL },
    { "Basic QWxhZGRpbg==", NULL, NULL },     /* no colon */
    { "Basic YQA6Yg==", NULL, NULL },         /* a NUL */
    { "Basic YQo6Yg==", NULL, NULL },         /* a line feed */
    { "Basic /zpi", NULL, NULL },             /* 0xff */
    { "Basic YTpi, Basic YTpi", NULL, NULL }, /* two fields */
};

static void test_basic(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(credentials); i++) {
        g_autoptr(MkHttpRequest) request = mk_http_request_new();
        g_autofree char *user = NULL;
        g_autofree char *password = NULL;
        if (credentials[i].field != NULL)
            mk_http_request_add_field(request, "Authorization", credentials[i].field);
        g_test_message("%s", credentials[i].field);
        bool good = mk_http_basic(request, &user, &password);
        g_assert_cmpint(good, ==, credentials[i].user != NULL);
        g_assert_cmpstr(user, ==, credentials[i].user);
        g_assert_cmpstr(password, ==, credentials[i].password);
    }
}

static void test_basic_too_long(void)
{
    g_autoptr(MkHttpRequest) request = mk_http_request_new();
    g_autofree char *text = g_strnfill(3000, 'a');
    g_autofree char *token = g_base64_encode((const guchar *) text, 3000);
    g_autofree char *field = g_strconcat("Basic ", token, NULL);
    char *user = NULL;
    char *password = NULL;

    mk_http_request_add_field(request, "Authorization", field);
    g_assert_false(mk_http_basic(request, &user, &password));
}

static const struct {
    const char *field;
    const char *value;
} cookies[] = {
    { "mk=1", "1" },     { "a=2; mk=1", "1" }, { "a=2;mk=1 ;b=3", "1" }, { "mk=", "" },
    { "mk=a=b", "a=b" }, { "xmk=1", NULL },    { "mkx=1", NULL },        { "MK=1", NULL },
    { "mk", NULL },      { "", NULL },         { ";;; mk=1", "1" },      { "mk=1; mk=2", "1" },
};

static void test_cookies(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cookies); i++) {
        g_autoptr(MkHttpRequest) request = mk_http_request_new();
        mk_http_request_add_field(request, "Cookie", cookies[i].field);
        g_autofree char *value = mk_http_cookie(request, "mk");
        g_test_message("%s", cookies[i].field);
        g_assert_cmpstr(value, ==, cookies[i].value);
    }
}

static void count_gone(void *cookie)
{
    ++*(int *) cookie;
}

static void test_gone_is_told_once(void)
{
    g_autoptr(MkHttpRequest) request = mk_http_request_new();
    int count = 0;

    mk_http_set_on_gone(request, count_gone, &count);
    mk_http_request_lose(request);
    mk_http_request_lose(request);
    g_assert_cmpint(count, ==, 1);
    g_assert_true(mk_http_is_gone(request));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http/request/basic", test_basic);
    g_test_add_func("/http/request/basic-too-long", test_basic_too_long);
    g_test_add_func("/http/request/cookies", test_cookies);
    g_test_add_func("/http/request/gone-is-told-once", test_gone_is_told_once);
    return g_test_run();
}
