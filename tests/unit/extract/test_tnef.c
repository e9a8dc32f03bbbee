/*
 * test_tnef.c - winmail.dat made attribute by attribute (MS-OXTNEF 2.1.3)
 */
#include <string.h>

#include "samples.h"

static void add_attribute(GByteArray *out, uint8_t level, uint32_t id, const GByteArray *data)
{
    unsigned sum = 0;

    g_byte_array_append(out, &level, 1);
    sample_u32(out, id);
    sample_u32(out, data->len);
    g_byte_array_append(out, data->data, data->len);
    for (guint i = 0; i < data->len; i++)
        sum += data->data[i];
    sample_u16(out, sum);
}

static void add_octets(GByteArray *out, uint8_t level, uint32_t id, const char *octets,
                       size_t length)
{
    g_autoptr(GByteArray) data = g_byte_array_new();

    g_byte_array_append(data, (const uint8_t *) octets, (guint) length);
    add_attribute(out, level, id, data);
}

/* A property of one value with its length. */
static void add_property(GByteArray *out, unsigned type, unsigned number, const char *octets,
                         size_t length)
{
    sample_u16(out, type);
    sample_u16(out, number);
    sample_u32(out, 1);
    sample_u32(out, (uint32_t) length);
    g_byte_array_append(out, (const uint8_t *) octets, (guint) length);
    while (out->len % 4 != 0)
        g_byte_array_append(out, (const uint8_t *) "", 1);
}

static GByteArray *begin(void)
{
    GByteArray *out = g_byte_array_new();

    sample_u32(out, 0x223e9f78);
    sample_u16(out, 1);
    add_octets(out, 1, 0x00069007, "\xe3\x04\0\0\0\0\0\0", 8); /* windows-1251 */
    return out;
}

static void add_message(GByteArray *out)
{
    g_autoptr(GByteArray) properties = g_byte_array_new();

    add_octets(out, 1, 0x00018004, "\xd2\xe5\xec\xe0", 5);
    sample_u32(properties, 4);
    sample_u16(properties, 0x0003); /* importance: a long, no text */
    sample_u16(properties, 0x0017);
    sample_u32(properties, 1);
    sample_u16(properties, 0x001e); /* a named one, with a string for its name */
    sample_u16(properties, 0x8001);
    sample_u32(properties, 1);
    sample_u32(properties, 2);
    sample_u32(properties, 3);
    sample_u32(properties, 4);
    sample_u32(properties, 1);
    sample_u32(properties, 6);
    g_byte_array_append(properties, (const uint8_t *) "a\0b\0\0\0\0\0", 8);
    sample_u32(properties, 1);
    sample_u32(properties, 2);
    g_byte_array_append(properties, (const uint8_t *) "x\0\0\0", 4);
    add_property(properties, 0x001e, 0x0e04, "Recipient", 10);
    add_property(properties, 0x0102, 0x1013, "<p>body <b>words</b></p>", 24);
    add_attribute(out, 1, 0x00069003, properties);
}

static void add_attachment(GByteArray *out)
{
    g_autoptr(GByteArray) properties = g_byte_array_new();

    add_octets(out, 2, 0x00069002, "\1\0\0\0\0\0\0\0\0\0\0\0\0\0", 14);
    add_octets(out, 2, 0x00018010, "SHORT.TXT", 10);
    add_octets(out, 2, 0x0006800f, "attached words", 14);
    sample_u32(properties, 1);
    add_property(properties, 0x001f, 0x3707, "l\0o\0n\0g\0.\0t\0x\0t\0\0\0", 18);
    add_attribute(out, 2, 0x00069005, properties);
}

static GByteArray *make_inner(void)
{
    GByteArray *out = begin();

    add_octets(out, 1, 0x00018004, "inner subject", 14);
    return out;
}

/* An attached message: TNEF behind the number of its interface. */
static void add_object(GByteArray *out)
{
    g_autoptr(GByteArray) inner = make_inner(), object = g_byte_array_new();
    g_autoptr(GByteArray) properties = g_byte_array_new();

    for (int i = 0; i < 4; i++)
        sample_u32(object, 0x46000000);
    g_byte_array_append(object, inner->data, inner->len);
    add_octets(out, 2, 0x00069002, "\1\0\0\0\0\0\0\0\0\0\0\0\0\0", 14);
    sample_u32(properties, 1);
    add_property(properties, 0x000d, 0x3701, (const char *) object->data, object->len);
    add_attribute(out, 2, 0x00069005, properties);
}

static GByteArray *make_whole(void)
{
    GByteArray *out = begin();

    add_message(out);
    add_attachment(out);
    add_object(out);
    return out;
}

static void test_whole(void)
{
    static const char *const expected[] = { "Тема",     "Recipient",      "body words",
                                            "long.txt", "attached words", "inner subject" };
    g_autoptr(GByteArray) file = make_whole();
    Verdict verdict;
    GString *text =
        sample_read(MK_DOCUMENT_TNEF, "winmail.dat", file->data, file->len, 10000, &verdict);

    g_assert_cmpint(verdict.result, ==, MK_TEXT_COMPLETE);
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
        g_assert_nonnull(strstr(text->str, expected[i]));
    g_string_free(text, TRUE);
}

static void test_broken(void)
{
    g_autoptr(GByteArray) file = make_whole();
    Verdict verdict;
    GString *text = sample_read(MK_DOCUMENT_TNEF, "", OCTETS("\x78\x9f\x3e\x23..."), 100, &verdict);

    g_assert_cmpint(verdict.result, ==, MK_TEXT_FAILED);
    g_string_free(text, TRUE);
    text = sample_read(MK_DOCUMENT_TNEF, "", file->data, file->len - 60, 1000, &verdict);
    g_assert_cmpint(verdict.result, ==, MK_TEXT_FAILED);
    g_assert_nonnull(strstr(text->str, "attached words"));
    g_string_free(text, TRUE);
    sample_torture(MK_DOCUMENT_TNEF, file->data, file->len);
}

/* Messages in messages end at the limit of nesting. */
static void test_deep(void)
{
    GByteArray *file = make_inner();
    Verdict verdict;
    GString *text;

    for (int i = 0; i < 20; i++) {
        g_autoptr(GByteArray) object = g_byte_array_new(), properties = g_byte_array_new();
        GByteArray *outer = begin();

        for (int j = 0; j < 4; j++)
            sample_u32(object, 0);
        g_byte_array_append(object, file->data, file->len);
        add_octets(outer, 2, 0x00069002, "", 0);
        sample_u32(properties, 1);
        add_property(properties, 0x000d, 0x3701, (const char *) object->data, object->len);
        add_attribute(outer, 2, 0x00069005, properties);
        g_byte_array_unref(file);
        file = outer;
    }
    text = sample_read(MK_DOCUMENT_TNEF, "", file->data, file->len, 1000, &verdict);
    g_assert_cmpint(verdict.result, ==, MK_TEXT_TRUNCATED);
    g_assert_cmpint(verdict.why, ==, MK_WHY_NESTING);
    g_string_free(text, TRUE);
    g_byte_array_unref(file);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/extract/tnef/whole", test_whole);
    g_test_add_func("/extract/tnef/broken", test_broken);
    g_test_add_func("/extract/tnef/deep", test_deep);
    return g_test_run();
}
