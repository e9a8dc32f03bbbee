/* test_octets.c - what is written reads back; nothing reads over the end */
#include <string.h>

#include <mailkeep/base.h>

static void test_round_trip(void)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autofree char *text = NULL;
    MkReader r;
    size_t length;

    mk_put_u8(out, 0xab);
    mk_put_u32(out, 0x01020304);
    mk_put_u64(out, 0x0102030405060708);
    mk_put_varint(out, 300);
    mk_put_block(out, "a\0b", 3);
    mk_put_string(out, "text");
    mk_put_string(out, NULL);
    r = mk_reader(out->data, out->len);
    g_assert_cmpuint(mk_read_u8(&r), ==, 0xab);
    g_assert_cmpmem(r.data, 4, "\1\2\3\4", 4); /* big endian */
    g_assert_cmpuint(mk_read_u32(&r), ==, 0x01020304);
    g_assert_cmpuint(mk_read_u64(&r), ==, 0x0102030405060708);
    g_assert_cmpuint(mk_read_varint(&r), ==, 300);
    g_assert_cmpmem(mk_read_block(&r, &length), 3, "a\0b", 3);
    g_assert_cmpuint(length, ==, 3);
    text = mk_read_string(&r);
    g_assert_cmpstr(text, ==, "text");
    g_free(text);
    text = mk_read_string(&r);
    g_assert_cmpstr(text, ==, "");
    g_assert_false(r.failed);
    g_assert_cmpuint(r.length, ==, 0);
}

/* Encodings as in DWARF 4, figure 22, and the bounds of 64 bits. */
static void test_varint_encoding(void)
{
    static const struct {
        uint64_t value;
        const char *octets;
        size_t length;
    } cases[] = {
        { 0, "\x00", 1 },
        { 2, "\x02", 1 },
        { 127, "\x7f", 1 },
        { 128, "\x80\x01", 2 },
        { 129, "\x81\x01", 2 },
        { 12857, "\xb9\x64", 2 },
        { UINT64_MAX, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) out = g_byte_array_new();
        MkReader r;

        mk_put_varint(out, cases[i].value);
        g_assert_cmpmem(out->data, out->len, cases[i].octets, cases[i].length);
        r = mk_reader(out->data, out->len);
        g_assert_true(mk_read_varint(&r) == cases[i].value);
        g_assert_false(r.failed);
    }
}

static void test_varint_refuses(void)
{
    static const struct {
        const char *octets;
        size_t length;
    } cases[] = {
        { "", 0 },
        { "\x80", 1 },
        { "\x80\x00", 2 },                                      /* zero in two octets */
        { "\xff\x80\x00", 3 },                                  /* 127 in three */
        { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10 },     /* 65 bits */
        { "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11 }, /* eleven octets */
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        MkReader r = mk_reader(cases[i].octets, cases[i].length);

        g_assert_cmpuint(mk_read_varint(&r), ==, 0);
        g_assert_true(r.failed);
    }
}

static void test_failure_stays(void)
{
    MkReader r = mk_reader("\1\2\3", 3);
    size_t length = 9;

    g_assert_cmpuint(mk_read_u32(&r), ==, 0);
    g_assert_true(r.failed);
    g_assert_cmpuint(mk_read_u8(&r), ==, 0); /* although an octet would be there */
    g_assert_null(mk_read_bytes(&r, 0));
    g_assert_null(mk_read_block(&r, &length));
    g_assert_cmpuint(length, ==, 0);
    g_assert_null(mk_read_string(&r));
}

static void test_block_length_lies(void)
{
    MkReader r = mk_reader("\x05"
                           "abc",
                           4);
    size_t length;

    g_assert_null(mk_read_block(&r, &length));
    g_assert_true(r.failed);
    r = mk_reader("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                  "abc",
                  13);
    g_assert_null(mk_read_block(&r, &length));
    g_assert_true(r.failed);
}

static void test_string_with_nul(void)
{
    MkReader r = mk_reader("\x03"
                           "a\0b",
                           4);

    g_assert_null(mk_read_string(&r));
    g_assert_true(r.failed);
}

static void test_empty_reader(void)
{
    MkReader r = mk_reader(NULL, 0);

    g_assert_nonnull(mk_read_bytes(&r, 0)); /* NULL only ever means failure */
    g_assert_false(r.failed);
    g_assert_null(mk_read_bytes(&r, 1));
    g_assert_true(r.failed);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/octets/round_trip", test_round_trip);
    g_test_add_func("/base/octets/varint_encoding", test_varint_encoding);
    g_test_add_func("/base/octets/varint_refuses", test_varint_refuses);
    g_test_add_func("/base/octets/failure_stays", test_failure_stays);
    g_test_add_func("/base/octets/block_length_lies", test_block_length_lies);
    g_test_add_func("/base/octets/string_with_nul", test_string_with_nul);
    g_test_add_func("/base/octets/empty_reader", test_empty_reader);
    return g_test_run();
}
