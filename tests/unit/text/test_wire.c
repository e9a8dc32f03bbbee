/*
 * test_wire.c - messages between client and helper: there and back, and what is refused
 */
#include <mailkeep/text_wire.h>

#include <string.h>

#include <mailkeep/limits.h>

static void test_request(void)
{
    const MkRequest request = { .type = MK_REQUEST_READ,
                                .kind = MK_DOCUMENT_ODF,
                                .kinds = UINT64_MAX - 5,
                                .length = 123456,
                                .text_bytes = 777,
                                .seconds = 30,
                                .ocr = true,
                                .file_name = (char *) "gr\xc3\xbcn.odt" };
    g_autoptr(GByteArray) message = g_byte_array_new();
    g_auto(MkRequest) read = { .file_name = NULL };

    mk_request_format(&request, message);
    g_assert_cmpuint(message->len, <=, MK_WIRE_REQUEST_BYTES);
    g_assert_true(mk_request_parse(message->data, message->len, &read));
    g_assert_cmpint(read.kind, ==, request.kind);
    g_assert_cmpuint(read.kinds, ==, request.kinds);
    g_assert_cmpuint(read.length, ==, request.length);
    g_assert_cmpuint(read.text_bytes, ==, request.text_bytes);
    g_assert_cmpuint(read.seconds, ==, request.seconds);
    g_assert_true(read.ocr);
    g_assert_cmpstr(read.file_name, ==, request.file_name);
    for (guint length = 0; length < message->len; length++) {
        g_auto(MkRequest) cut = { .file_name = NULL };

        g_assert_false(mk_request_parse(message->data, length, &cut));
    }
}

static void test_page_request(void)
{
    MkRequest request = {
        .type = MK_REQUEST_PAGE, .page = 12, .length = 123456, .text_bytes = 777, .seconds = 5
    };
    g_autoptr(GByteArray) message = g_byte_array_new();
    g_auto(MkRequest) read = { .file_name = NULL };
    static const uint32_t wrong[] = { 0, MK_LIMIT_DOCUMENT_PAGES + 1, UINT32_MAX };

    mk_request_format(&request, message);
    g_assert_true(mk_request_parse(message->data, message->len, &read));
    g_assert_cmpint(read.type, ==, MK_REQUEST_PAGE);
    g_assert_cmpuint(read.page, ==, 12);
    g_assert_cmpuint(read.length, ==, 123456);
    g_assert_cmpuint(read.text_bytes, ==, 777);
    g_assert_cmpuint(read.seconds, ==, 5);
    for (guint length = 0; length < message->len; length++)
        g_assert_false(mk_request_parse(message->data, length, &read));
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        request.page = wrong[i];
        g_byte_array_set_size(message, 0);
        mk_request_format(&request, message);
        g_assert_false(mk_request_parse(message->data, message->len, &read));
    }
    request.page = 1;
    request.length = MK_LIMIT_EXTRACT_BYTES + 1ull;
    g_byte_array_set_size(message, 0);
    mk_request_format(&request, message);
    g_assert_false(mk_request_parse(message->data, message->len, &read));
}

static void test_long_name(void)
{
    g_autofree char *name = g_strnfill(2000, 'x');
    const MkRequest request = { .type = MK_REQUEST_READ, .file_name = name };
    g_autoptr(GByteArray) message = g_byte_array_new();
    g_auto(MkRequest) read = { .file_name = NULL };

    memcpy(name + 1744, "\xe2\x82\xac", 3); /* a character where the cut would be */
    memcpy(name + 1996, ".pdf", 4);
    mk_request_format(&request, message);
    g_assert_cmpuint(message->len, <=, MK_WIRE_REQUEST_BYTES);
    g_assert_true(mk_request_parse(message->data, message->len, &read));
    g_assert_true(g_str_has_suffix(read.file_name, "x.pdf"));
    g_assert_true(g_utf8_validate(read.file_name, -1, NULL));
}

static void test_bad_requests(void)
{
    MkRequest request = { .type = MK_REQUEST_READ, .file_name = (char *) "" };
    g_autoptr(GByteArray) message = g_byte_array_new();
    g_auto(MkRequest) read = { .file_name = NULL };

    request.length = MK_LIMIT_EXTRACT_BYTES + 1ull;
    mk_request_format(&request, message);
    g_assert_false(mk_request_parse(message->data, message->len, &read));
    mk_request_clear(&read);
    request.length = 1;
    g_byte_array_set_size(message, 0);
    mk_request_format(&request, message);
    message->data[1] = MK_WIRE_VERSION + 1;
    g_assert_false(mk_request_parse(message->data, message->len, &read));
    mk_request_clear(&read);
    message->data[1] = MK_WIRE_VERSION;
    message->data[2] = MK_DOCUMENT_COUNT;
    g_assert_false(mk_request_parse(message->data, message->len, &read));
}

static void test_replies(void)
{
    static const struct {
        const char *octets;
        size_t length;
        bool good;
    } cases[] = {
        { "T", 1, false },         { "Tx", 2, true },        { "R\1\0\0", 4, true },
        { "R\6\xf\1", 4, true },   { "R\0\0\0", 4, false },  { "R\7\0\0", 4, false },
        { "R\1\x10\0", 4, false }, { "R\1\0", 3, false },    { "R\1\0\0\0", 5, false },
        { "A12345678", 9, true },  { "A1234567", 8, false }, { "A123456789", 10, false },
        { "", 0, false },          { "X", 1, false },
    };
    MkReply reply;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_true(mk_reply_parse((const uint8_t *) cases[i].octets, cases[i].length, &reply) ==
                      cases[i].good);
}

static void test_whys(void)
{
    g_assert_null(mk_text_why_name(MK_WHY_NONE));
    for (int why = MK_WHY_NONE + 1; why < MK_WHY_COUNT; why++)
        g_assert_nonnull(mk_text_why_name((MkTextWhy) why));
    g_assert_null(mk_text_why_name(MK_WHY_COUNT));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/text/wire/request", test_request);
    g_test_add_func("/text/wire/page-request", test_page_request);
    g_test_add_func("/text/wire/long-name", test_long_name);
    g_test_add_func("/text/wire/bad-requests", test_bad_requests);
    g_test_add_func("/text/wire/replies", test_replies);
    g_test_add_func("/text/wire/whys", test_whys);
    return g_test_run();
}
