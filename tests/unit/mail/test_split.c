/*
 * test_split.c - the ranges of parts: by hand for odd forms, and over the whole corpus
 */
#include <mailkeep/mail.h>

#include <string.h>

#include <mailkeep/limits.h>

#include "corpus.h"
#include "cpu_time.h"

#define MULTI \
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\npreamble\r\n"
#define B64 "Content-Transfer-Encoding: base64\r\n"

/* "@" stands for 2000 letters, "#" for 2000 digits. */
static const struct {
    const char *name;
    const char *mail;
    const char *pieces; /* kind and first letters of each */
} cases[] = {
    { "no mail", "", "" },
    { "text stays", "Subject: x\r\n\r\n@", "" },
    { "base64 mail", "Subject: x\r\n" B64 "\r\n@\r\n", "B:AAAA" },
    { "base64 part", MULTI "--b\r\n" B64 "\r\n@\r\n--b--\r\n", "B:AAAA" },
    { "LF only", "Content-Type: multipart/mixed; boundary=b\n\n--b\n" B64 "\n@\n--b--\n",
      "B:AAAA" },
    { "small part", MULTI "--b\r\n" B64 "\r\nAAAA\r\n--b--\r\n", "" },
    { "image as it is", MULTI "--b\r\nContent-Type: image/png\r\n\r\n#\r\n--b--\r\n", "P:0000" },
    { "attached text", MULTI "--b\r\nContent-Type: text/plain; name=x.txt\r\n\r\n#\r\n--b--",
      "P:0000" },
    { "two", MULTI "--b\r\n" B64 "\r\n@\r\n--b\r\nContent-Type: a/b\r\n\r\n#\r\n--b--\r\n",
      "B:AAAA P:0000" },
    { "not closed", MULTI "--b\r\n" B64 "\r\n@", "B:AAAA" },
    { "inner not closed",
      MULTI "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n" B64
            "\r\n@\r\n--b\r\n" B64 "\r\n@\r\n--b--\r\n",
      "B:AAAA B:AAAA" },
    { "in a message",
      MULTI "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n" B64 "\r\n@\r\n--b--\r\n",
      "B:AAAA" },
    { "boundary with blanks", MULTI "--b \t\r\n" B64 "\r\n@\r\n--b--  \r\n", "B:AAAA" },
    { "boundary as prefix", MULTI "--bc\r\n--b\r\n" B64 "\r\n@\r\n--b--\r\n", "B:AAAA" },
    { "no empty line", MULTI "--b\r\n" B64 "--b\r\n" B64 "\r\n@\r\n--b--\r\n", "B:AAAA" },
    { "behind the end", MULTI "--b--\r\n--b\r\n" B64 "\r\n@\r\n", "" },
    { "junk line in header", "Subject: x\r\njunk\r\n" B64 "\r\n@\r\n", "B:AAAA" },
    { "folded type",
      "Content-Type: multipart/mixed;\r\n\tcharset=x;\r\n boundary=b\r\n\r\n--b\r\n" B64
      "\r\n@\r\n--b--",
      "B:AAAA" },
};

static void test_piece_has_text(void)
{
    static const struct {
        const char *before;
        bool has_text;
    } parts[] = {
        { "", true },
        { "\r\n", true },
        { "Subject: x\r\n\r\n", true },
        { "Content-Type: image/png\r\n\r\n", false },
        { "Content-Type: image/png\n\n", false },
        { "Content-Type: multipart/mixed\r\n\r\n--b\r\nContent-ID: <x>\r\n\r\n", true },
        { "Content-Type: text/plain\r\n\r\n--b\r\n"
          "content-type: APPLICATION/pdf;\r\n\tname=\"text/plain\"\r\n" B64 "\r\n",
          false },
        { "--b\r\nContent-Type: image/png\r\n\r\nx\r\n--b\r\nContent-Type: text/html\r\n\r\n",
          true },
        { "--b\r\nContent-Type: application/xhtml+xml\r\n\r\n", true },
        { "--b\r\nContent-Type: message/delivery-status\r\n\r\n", true },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        g_assert_cmpint(
            mk_mail_piece_has_text((const uint8_t *) parts[i].before, strlen(parts[i].before)), ==,
            parts[i].has_text);
}

/* Only the piece's own header counts, in any case and spacing. */
static void test_piece_has_type(void)
{
    static const struct {
        const char *before;
        const char *prefix;
        bool has;
    } parts[] = {
        { "Content-Type: image/png\r\n\r\n", "image/", true },
        { "content-type:\tIMAGE/png; name=x\n\n", "image/", true },
        { "Content-Type: application/pdf\r\n\r\n", "image/", false },
        { "Content-Type: image/png\r\n\r\n--b\r\nContent-ID: <x>\r\n\r\n", "image/", false },
        { "X: image/png\r\n\r\n", "image/", false },
        { "", "image/", false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        g_assert_cmpint(mk_mail_piece_has_type((const uint8_t *) parts[i].before,
                                               strlen(parts[i].before), parts[i].prefix),
                        ==, parts[i].has);
}

static GString *filled(const char *pattern)
{
    GString *mail = g_string_new(NULL);
    g_autofree char *letters = g_strnfill(2000, 'A'), *digits = g_strnfill(2000, '0');

    for (; *pattern; pattern++) {
        if (*pattern == '@')
            g_string_append(mail, letters);
        else if (*pattern == '#')
            g_string_append(mail, digits);
        else
            g_string_append_c(mail, *pattern);
    }
    return mail;
}

static void test_cases(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GString *mail = filled(cases[i].mail), *found = g_string_new(NULL);
        g_autoptr(GArray) pieces = mk_mail_split((uint8_t *) mail->str, mail->len);

        for (guint k = 0; k < pieces->len; k++) {
            const MkPiece *p = &g_array_index(pieces, MkPiece, k);

            g_string_append_printf(found, "%s%c:%.4s", k ? " " : "",
                                   p->kind == MK_PIECE_BASE64 ? 'B' : 'P', mail->str + p->offset);
            if (p->offset + p->length < mail->len && !g_str_equal(cases[i].name, "base64 mail"))
                g_assert_cmpuint(p->length, ==, 2000);
        }
        if (!g_str_equal(found->str, cases[i].pieces))
            g_test_message("%s", cases[i].name);
        g_assert_cmpstr(found->str, ==, cases[i].pieces);
        g_string_free(found, TRUE);
        g_string_free(mail, TRUE);
    }
}

static GString *nested(unsigned depth)
{
    GString *mail = g_string_new(NULL);

    for (unsigned i = 0; i < depth; i++)
        g_string_append_printf(mail, "Content-Type: multipart/mixed; boundary=b%u\r\n\r\n--b%u\r\n",
                               i, i);
    return mail;
}

/* Bombs end quickly and without much memory; the time is generous for slow machines. */
static void test_bombs(void)
{
    int64_t start = test_cpu_us();
    GString *deep = nested(1000), *parts = g_string_new(MULTI), *header = g_string_new(NULL);

    for (int i = 0; i < 200000; i++)
        g_string_append(parts, "--b\r\n\r\n");
    while (header->len < 10u << 20)
        g_string_append(header, "X-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
    g_array_unref(mk_mail_split((uint8_t *) deep->str, deep->len));
    g_array_unref(mk_mail_split((uint8_t *) parts->str, parts->len));
    g_array_unref(mk_mail_split((uint8_t *) header->str, header->len));
    g_assert_cmpint(test_cpu_us() - start, <, 2 * G_USEC_PER_SEC);
    g_string_free(deep, TRUE);
    g_string_free(parts, TRUE);
    g_string_free(header, TRUE);
}

typedef struct {
    unsigned base64;
    unsigned exact;
    size_t octets;
    size_t exact_octets;
} Totals;

static void check_mail(const char *name, const uint8_t *data, size_t length, void *user)
{
    Totals *totals = user;
    g_autoptr(GArray) pieces = mk_mail_split(data, length);
    size_t end = 0;

    (void) name;
    g_assert_cmpuint(pieces->len, <=, MK_LIMIT_PARTS);
    for (guint i = 0; i < pieces->len; i++) {
        const MkPiece *p = &g_array_index(pieces, MkPiece, i);
        g_autoptr(GByteArray) decoded = g_byte_array_new(), recipe = g_byte_array_new();
        g_autoptr(GByteArray) again = g_byte_array_new();

        g_assert_cmpuint(p->offset, >=, end);
        end = p->offset + p->length;
        g_assert_cmpuint(end, <=, length);
        if (p->kind != MK_PIECE_BASE64)
            continue;
        totals->base64++;
        totals->octets += p->length;
        if (!mk_base64_decode_exact(data + p->offset, p->length, decoded, recipe))
            continue;
        totals->exact++;
        totals->exact_octets += p->length;
        g_assert_true(
            mk_base64_encode_exact(decoded->data, decoded->len, recipe->data, recipe->len, again));
        g_assert_cmpmem(again->data, again->len, data + p->offset, p->length);
    }
}

static void test_corpus(gconstpointer folder)
{
    Totals totals = { 0 };
    unsigned count;

    if (!corpus_there())
        return;
    count = corpus_each(folder, check_mail, &totals);
    g_test_message("%u mails, %u base64 pieces, %u of them exact (%.1f %% of the octets)", count,
                   totals.base64, totals.exact,
                   100.0 * (double) totals.exact_octets / (double) MAX(totals.octets, 1));
    g_assert_cmpuint(totals.exact_octets * 100, >=, totals.octets * 95);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mail/split/cases", test_cases);
    g_test_add_func("/mail/split/bombs", test_bombs);
    g_test_add_func("/mail/split/piece-has-text", test_piece_has_text);
    g_test_add_func("/mail/split/piece-has-type", test_piece_has_type);
    g_test_add_data_func("/mail/split/torture", "torture", test_corpus);
    g_test_add_data_func("/mail/split/journal", "journal", test_corpus);
    g_test_add_data_func("/mail/split/real", "real", test_corpus);
    return g_test_run();
}
