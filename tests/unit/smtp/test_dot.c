/* test_dot.c - the end of DATA and its dots, over all ways in which the octets may arrive */
#include <string.h>

#include "smtp/internal.h"

typedef struct {
    GByteArray *mail;
    size_t used; /* octets up to and with the end */
    MkSmtpDot dot;
} Result;

static void feed(Result *r, const char *data, size_t length)
{
    while (length > 0 && r->dot != MK_SMTP_DOT_END) {
        const uint8_t *slice;
        size_t slice_length, used;

        used = mk_smtp_dot_scan(&r->dot, (const uint8_t *) data, length, &slice, &slice_length);
        g_assert_cmpuint(used, <=, length);
        g_byte_array_append(r->mail, slice, (guint) slice_length);
        data += used;
        length -= used;
        r->used += used;
    }
}

/* The rule of RFC 5321 §4.5.2, octet by octet, written as plainly as it can be. */
static Result plain(const char *data, size_t length)
{
    Result r = { .mail = g_byte_array_sized_new(64) };
    bool line_start = true;

    for (size_t i = 0; i < length; i++) {
        if (line_start && data[i] == '.') {
            if (i + 2 < length && data[i + 1] == '\r' && data[i + 2] == '\n') {
                r.dot = MK_SMTP_DOT_END;
                r.used = i + 3;
                return r;
            }
            line_start = false;
            continue;
        }
        g_byte_array_append(r.mail, (const guint8 *) data + i, 1);
        line_start = i > 0 && data[i - 1] == '\r' && data[i] == '\n';
    }
    r.used = length;
    return r;
}

static void assert_same(const Result *got, const Result *want)
{
    g_assert_cmpint(got->dot == MK_SMTP_DOT_END, ==, want->dot == MK_SMTP_DOT_END);
    g_assert_cmpuint(got->used, ==, want->used);
    /* Without an end, octets whose meaning is open (a dot, a dot and a CR) are still held back. */
    if (want->dot == MK_SMTP_DOT_END || got->mail->len == want->mail->len)
        g_assert_cmpmem(got->mail->data, got->mail->len, want->mail->data, want->mail->len);
    else
        g_assert_cmpmem(got->mail->data, got->mail->len, want->mail->data, want->mail->len - 1);
}

static const char *const tricky[] = {
    ".\r\n",
    "\r\n.\r\n",
    "a\r\n.\r\nQUIT\r\n",
    "a\n.\nQUIT\r\n.\r\n",
    "a\r.\rb\r\n.\r\n",
    "a\n.\r\nMAIL FROM:<x>\r\n.\r\n",
    "a\r\n.\nMAIL FROM:<x>\r\n.\r\n",
    "a\r\n.\rMAIL\r\n.\r\n",
    "a\r\n.\r\r\n.\r\n",
    "a\r\n.\r\r\n\r\n.\r\n",
    "a\r\n..\r\n...\r\n....\r\n.\r\n",
    "..\r\n.\r\n",
    ".a\r\n.\r\n",
    ".\r.\r\n.\r\n",
    "\r\r\n.\r\n",
    "\n\r\n.\r\n",
    "\r\n\n.\r\n.\r\n",
    "a\r\n\r\n.\r\n.\r\n",
    "a\r\r\r\n\n\n\r\n..\r\n.\r\n",
    "a\r\n.\r\n.\r\n",
    "a\r\n.",
    "a\r\n.\r",
    "a\r\n",
    "a\r",
    ".",
};

static void test_all_splits(void)
{
    for (size_t c = 0; c < G_N_ELEMENTS(tricky); c++) {
        const char *data = tricky[c];
        size_t length = strlen(data);
        Result want = plain(data, length);

        for (size_t i = 0; i <= length; i++) {
            for (size_t j = i; j <= length; j++) {
                Result got = { .mail = g_byte_array_sized_new(64) };

                feed(&got, data, i);
                feed(&got, data + i, j - i);
                feed(&got, data + j, length - j);
                assert_same(&got, &want);
                g_byte_array_unref(got.mail);
            }
        }
        g_byte_array_unref(want.mail);
    }
}

/* All strings of up to eight octets of these four, whole and one octet at a time. */
static void test_all_strings(void)
{
    static const char alphabet[] = "\r\n.a";

    for (size_t length = 0; length <= 8; length++) {
        for (guint n = 0; n < 1u << (2 * length); n++) {
            char data[9] = { 0 };
            Result want, whole = { .mail = g_byte_array_sized_new(64) };
            Result single = { .mail = g_byte_array_sized_new(64) };

            for (size_t i = 0; i < length; i++)
                data[i] = alphabet[n >> (2 * i) & 3];
            want = plain(data, length);
            feed(&whole, data, length);
            for (size_t i = 0; i < length; i++)
                feed(&single, data + i, 1);
            if (whole.used != want.used || single.used != want.used ||
                whole.mail->len != single.mail->len ||
                memcmp(whole.mail->data, single.mail->data, whole.mail->len) != 0 ||
                (want.dot == MK_SMTP_DOT_END && whole.mail->len != want.mail->len))
                assert_same(&whole, &want);
            g_assert_true(whole.mail->len == single.mail->len && whole.dot == single.dot);
            g_byte_array_unref(want.mail);
            g_byte_array_unref(whole.mail);
            g_byte_array_unref(single.mail);
        }
    }
}

/* RFC 5321 §4.5.2: what a client stuffs comes back, whatever it is. */
static void test_stuffed_comes_back(void)
{
    static const char *const lines[] = { ".", "..", ".\r", "a", "", "\n.", ".\n.", "\r", ".a." };
    g_autoptr(GString) mail = g_string_new(NULL), wire = g_string_new(NULL);
    g_autoptr(GRand) rand = g_rand_new_with_seed(5321);
    Result got = { .mail = g_byte_array_sized_new(64) };

    for (int i = 0; i < 2000; i++) {
        const char *line = lines[g_rand_int_range(rand, 0, G_N_ELEMENTS(lines))];

        g_string_append_printf(mail, "%s\r\n", line);
        g_string_append_printf(wire, "%s%s\r\n", line[0] == '.' ? "." : "", line);
    }
    g_string_append(wire, ".\r\n");
    for (size_t at = 0; at < wire->len;) {
        size_t length = MIN((size_t) g_rand_int_range(rand, 1, 40), wire->len - at);

        feed(&got, wire->str + at, length);
        at += length;
    }
    g_assert_cmpint(got.dot, ==, MK_SMTP_DOT_END);
    g_assert_cmpmem(got.mail->data, got.mail->len, mail->str, mail->len);
    g_byte_array_unref(got.mail);
}

static void test_speed(void)
{
    enum { SIZE = 16 << 20, CHUNK = 64 << 10 };
    g_autofree char *data = g_malloc(SIZE);
    MkSmtpDot dot = MK_SMTP_DOT_LINE_START;
    size_t slices = 0;
    gint64 started;

    if (!g_test_perf()) {
        g_test_skip("only with -m perf");
        return;
    }
    for (size_t i = 0; i < SIZE; i++)
        data[i] = i % 78 == 76 ? '\r' : i % 78 == 77 ? '\n' : 'x';
    started = g_get_monotonic_time();
    for (size_t at = 0; at < SIZE; at += CHUNK)
        for (size_t used = 0; used < CHUNK; slices++) {
            const uint8_t *slice;
            size_t length;

            used +=
                mk_smtp_dot_scan(&dot, (uint8_t *) data + at + used, CHUNK - used, &slice, &length);
        }
    g_test_message("%.1f GB/s, %zu slices", SIZE / 1e3 / (g_get_monotonic_time() - started),
                   slices);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/smtp/dot/all-splits", test_all_splits);
    g_test_add_func("/smtp/dot/all-strings", test_all_strings);
    g_test_add_func("/smtp/dot/stuffed-comes-back", test_stuffed_comes_back);
    g_test_add_func("/smtp/dot/speed", test_speed);
    return g_test_run();
}
