/*
 * test_cfb.c - compound files, and PPT and MSG in them
 */
#include <string.h>

#include "samples.h"

static char large[10000]; /* above the cutoff: in sectors of its own */

static void test_streams(void)
{
    const SampleFile files[] = { { "small", "few octets", 0 },
                                 { "large", large, sizeof large },
                                 { "storage", NULL, 0 },
                                 { "storage/inner", "within", 0 },
                                 { "storage/deep", NULL, 0 },
                                 { "storage/deep/last", "the end", 0 },
                                 { NULL, NULL, 0 } };
    g_autoptr(GByteArray) file = NULL;
    g_autoptr(Cfb) cfb = NULL;
    uint32_t storage, deep;

    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (char) (i * 7);
    file = sample_cfb(files);
    cfb = cfb_open(file->data, file->len);
    g_assert_nonnull(cfb);
    g_autoptr(GByteArray) small = cfb_stream(cfb, cfb_find(cfb, CFB_ROOT, "SMALL"), 100);
    g_assert_cmpmem(small->data, small->len, "few octets", 10);
    g_autoptr(GByteArray) whole = cfb_stream(cfb, cfb_find(cfb, CFB_ROOT, "large"), SIZE_MAX);
    g_assert_cmpmem(whole->data, whole->len, large, sizeof large);
    g_autoptr(GByteArray) head = cfb_stream(cfb, cfb_find(cfb, CFB_ROOT, "large"), 600);
    g_assert_cmpmem(head->data, head->len, large, 600);
    storage = cfb_find(cfb, CFB_ROOT, "storage");
    g_assert_true(cfb_is_storage(cfb, storage));
    g_assert_cmpuint(cfb_find(cfb, storage, "small"), ==, CFB_NONE);
    deep = cfb_find(cfb, storage, "deep");
    g_autoptr(GByteArray) last = cfb_stream(cfb, cfb_find(cfb, deep, "last"), 100);
    g_assert_cmpmem(last->data, last->len, "the end", 7);
}

static void put_u32(GByteArray *file, size_t at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        file->data[at + (size_t) i] = (uint8_t) (value >> 8 * i);
}

static uint32_t get_u32(const GByteArray *file, size_t at)
{
    return file->data[at] | (uint32_t) file->data[at + 1] << 8 |
           (uint32_t) file->data[at + 2] << 16 | (uint32_t) file->data[at + 3] << 24;
}

/* Chains and trees that bite their tails come to an end. */
static void test_loops(void)
{
    const SampleFile files[] = {
        { "large", large, sizeof large }, { "a", NULL, 0 }, { "a/b", "x", 0 }, { NULL, NULL, 0 }
    };
    g_autoptr(GByteArray) file = sample_cfb(files);
    size_t fat = 512 + 512 * (size_t) get_u32(file, 76), directory;
    uint32_t sectors = get_u32(file, 48);

    directory = 512 + 512 * (size_t) sectors;
    /* Each sector is followed by itself. */
    for (size_t at = fat; at + 4 <= file->len; at += 4)
        put_u32(file, at, (uint32_t) ((at - fat) / 4));
    /* The storage is its own child and sibling; the stream says 4 GiB. */
    put_u32(file, directory + 2 * 128 + 68, 2);
    put_u32(file, directory + 2 * 128 + 76, 2);
    put_u32(file, directory + 3 * 128 + 72, 2);
    put_u32(file, directory + 128 + 120, UINT32_MAX);
    /* The list of tables goes round, too. */
    put_u32(file, 68, get_u32(file, 76));
    g_autoptr(Cfb) cfb = cfb_open(file->data, file->len);
    g_assert_nonnull(cfb);
    for (uint32_t e = cfb_first(cfb, CFB_ROOT); e != CFB_NONE; e = cfb_next(cfb, e)) {
        g_autoptr(GByteArray) octets = cfb_stream(cfb, e, SIZE_MAX);

        g_assert_cmpuint(octets->len, <=, file->len);
    }
}

static void test_no_file(void)
{
    static const uint8_t zeros[600];

    g_assert_null(cfb_open(NULL, 0));
    g_assert_null(cfb_open(zeros, sizeof zeros));
    g_assert_null(cfb_open(OCTETS("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")));
}

/* -- PPT (MS-PPT 2.3.1: header of 8 octets) ------------------------------------------------------- */

static void add_record(GByteArray *out, unsigned version, unsigned type, const void *data,
                       uint32_t length)
{
    sample_u16(out, version);
    sample_u16(out, type);
    sample_u32(out, length);
    if (data)
        g_byte_array_append(out, data, length);
}

static GByteArray *make_ppt(unsigned extra_type)
{
    g_autoptr(GByteArray) stream = g_byte_array_new();
    g_autoptr(GByteArray) wide = g_byte_array_new();
    SampleFile files[] = { { "PowerPoint Document", NULL, 0 }, { NULL, NULL, 0 } };

    sample_utf16(wide, "wide");
    sample_u16(wide, 0xd83d); /* U+1F600 */
    sample_u16(wide, 0xde00);
    add_record(stream, 0xf, 0x03e8, NULL, 8 + 6 + 8 + wide->len); /* document container */
    add_record(stream, 0, 0x0fa8, "b\xfcro x", 6);
    add_record(stream, 0, 0x0fa0, wide->data, wide->len);
    add_record(stream, 0, 0x0fba, "*\0", 2);
    add_record(stream, 0, 0x1234, "no text", 7);
    add_record(stream, 0, extra_type, "\0\0", 2);
    add_record(stream, 0, 0x0fa8, NULL, 4000); /* says more than there is */
    g_byte_array_append(stream, OCTETS("last"));
    files[0].data = (const char *) stream->data;
    files[0].length = stream->len;
    return sample_cfb(files);
}

static void test_ppt(void)
{
    g_autoptr(GByteArray) file = make_ppt(0x1235), locked = make_ppt(0x2f14);
    Verdict verdict;
    GString *text = sample_read(MK_DOCUMENT_PPT, "a.ppt", file->data, file->len, 1000, &verdict);

    g_assert_cmpint(verdict.result, ==, MK_TEXT_COMPLETE);
    g_assert_cmpstr(text->str, ==, "b\xc3\xbcro x\nwide\xf0\x9f\x98\x80\nlast\n");
    g_string_free(text, TRUE);
    text = sample_read(MK_DOCUMENT_PPT, "a.ppt", locked->data, locked->len, 1000, &verdict);
    g_assert_cmpint(verdict.result, ==, MK_TEXT_ENCRYPTED);
    g_string_free(text, TRUE);
    sample_torture(MK_DOCUMENT_PPT, file->data, file->len);
}

/* -- MSG (MS-OXMSG 2) --------------------------------------------------------------------------------- */

/* MS-OXRTFCP 4.1.1: the example of the specification. */
static const char packed_rtf[] =
    "\x2d\x00\x00\x00\x2b\x00\x00\x00\x4c\x5a\x46\x75\xf1\xc5\xc7\xa7\x03\x00\x0a\x00\x72\x63\x70"
    "\x67\x31\x32\x35\x42\x32\x0a\xf3\x20\x68\x65\x6c\x09\x00\x20\x62\x77\x05\xb0\x6c\x64\x7d\x0a"
    "\x80\x0f\xa0";

static void test_rtf_packed(void)
{
    g_autoptr(GByteArray) rtf = rtf_unpack(OCTETS(packed_rtf), 1000);
    g_autoptr(GByteArray) cut = rtf_unpack(OCTETS(packed_rtf), 5);
    static const char expected[] = "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n";

    g_assert_cmpmem(rtf->data, rtf->len, expected, strlen(expected));
    g_assert_cmpmem(cut->data, cut->len, expected, 5);
    g_assert_null(rtf_unpack(OCTETS("too short"), 5));
    for (size_t length = 0; length < sizeof packed_rtf; length++) {
        GByteArray *some = rtf_unpack((const uint8_t *) packed_rtf, length, 1000);

        if (some)
            g_byte_array_unref(some);
    }
}

static const char top[32 + 16] = {
    [32] = 0x03, [34] = (char) 0xfd, [35] = 0x3f, [40] = (char) 0xe3, [41] = 0x04, /* 1251 */
};
static const char subject[] = "S\0u\0b\0j\0e\0c\0t\0 \0w\0\xf6\0r\0d\0";
static const char inner_subject[] = "I\0n\0n\0e\0r\0";
static const char empty_properties[32];

static void test_msg(void)
{
    const SampleFile files[] = {
        { "__properties_version1.0", top, sizeof top },
        { "__substg1.0_0037001F", subject, sizeof subject - 1 },
        { "__substg1.0_1000001E", "\xef\xf0\xe8\xe2\xe5\xf2", 0 }, /* windows-1251 */
        { "__substg1.0_10130102", "<p>not beside the text</p>", 0 },
        { "__substg1.0_0E04001E", "To Somebody", 0 },
        { "__recip_version1.0_#00000000", NULL, 0 },
        { "__recip_version1.0_#00000000/__substg1.0_3001001E", "Rita", 0 },
        { "__recip_version1.0_#00000000/__substg1.0_39FE001E", "rita@example.com", 0 },
        { "__attach_version1.0_#00000000", NULL, 0 },
        { "__attach_version1.0_#00000000/__substg1.0_3707001E", "note.txt", 0 },
        { "__attach_version1.0_#00000000/__substg1.0_37010102", "attached words", 0 },
        { "__attach_version1.0_#00000001", NULL, 0 },
        { "__attach_version1.0_#00000001/__substg1.0_3701000D", NULL, 0 },
        { "__attach_version1.0_#00000001/__substg1.0_3701000D/__properties_version1.0",
          empty_properties, 24 },
        { "__attach_version1.0_#00000001/__substg1.0_3701000D/__substg1.0_0037001F", inner_subject,
          sizeof inner_subject - 1 },
        { "__attach_version1.0_#00000001/__substg1.0_3701000D/__substg1.0_10130102",
          "<b>inner page</b>", 0 },
        { NULL, NULL, 0 }
    };
    static const char *const expected[] = {
        "Subject w\xc3\xb6rd", "привет", "To Somebody", "Rita", "rita@example.com", "note.txt",
        "attached words",      "Inner",  "inner page"
    };
    g_autoptr(GByteArray) file = sample_cfb(files);
    Verdict verdict;
    GString *text = sample_read(MK_DOCUMENT_MSG, "a.msg", file->data, file->len, 10000, &verdict);

    g_assert_cmpint(verdict.result, ==, MK_TEXT_COMPLETE);
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
        g_assert_nonnull(strstr(text->str, expected[i]));
    g_assert_null(strstr(text->str, "not beside"));
    g_string_free(text, TRUE);
    sample_torture(MK_DOCUMENT_MSG, file->data, file->len);
}

/* OOXML with a password is a compound file (MS-OFFCRYPTO 2.3.2). */
static void test_encrypted_package(void)
{
    const SampleFile files[] = { { "EncryptionInfo", "x", 0 },
                                 { "EncryptedPackage", large, sizeof large },
                                 { NULL, NULL, 0 } };
    g_autoptr(GByteArray) file = sample_cfb(files);
    Verdict verdict;
    GString *text;

    g_assert_cmpint(mk_document_kind(NULL, "a.docx", file->data, file->len), ==, MK_DOCUMENT_OOXML);
    text = sample_read(MK_DOCUMENT_OOXML, "a.docx", file->data, file->len, 1000, &verdict);
    g_assert_cmpint(verdict.result, ==, MK_TEXT_ENCRYPTED);
    g_string_free(text, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/extract/cfb/streams", test_streams);
    g_test_add_func("/extract/cfb/loops", test_loops);
    g_test_add_func("/extract/cfb/no-file", test_no_file);
    g_test_add_func("/extract/cfb/ppt", test_ppt);
    g_test_add_func("/extract/cfb/rtf-packed", test_rtf_packed);
    g_test_add_func("/extract/cfb/msg", test_msg);
    g_test_add_func("/extract/cfb/encrypted-package", test_encrypted_package);
    return g_test_run();
}
