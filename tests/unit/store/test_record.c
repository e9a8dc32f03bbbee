/* test_record.c - checksums, frames, COMMIT records, compression, recipes' numbers */
#include <string.h>

#include "store/internal.h"

/* RFC 3720 appendix B.4 */
static void test_crc32c(void)
{
    uint8_t octets[48] = { 0 };
    g_autofree uint8_t *long_one = g_malloc0(5000);

    g_assert_cmphex(crc32c(octets, 32), ==, 0x8a9136aa);
    memset(octets, 0xff, 32);
    g_assert_cmphex(crc32c(octets, 32), ==, 0x62a8ab43);
    for (unsigned i = 0; i < 32; i++)
        octets[i] = (uint8_t) i;
    g_assert_cmphex(crc32c(octets, 32), ==, 0x46dd794e);
    g_assert_cmphex(crc32c("123456789", 9), ==, 0xe3069283);
    for (unsigned i = 0; i < 5000; i++)
        long_one[i] = (uint8_t) (i * 7);
    for (unsigned length = 0; length < 5000; length += 61)
        g_assert_cmphex(crc32c(long_one, length), ==, crc32c_by_tables(long_one, length));
}

static void test_frame(void)
{
    g_autoptr(MkKey) key = mk_key_new_random();
    g_autoptr(GByteArray) frame = record_seal(key, RECORD_MAIL, 0x21, "hello", 5);
    g_autoptr(GByteArray) plain = g_byte_array_new();
    RecordHead head;

    g_assert_cmpuint(frame->len, ==, RECORD_FRAME_BYTES + MK_SEAL_OVERHEAD + 5);
    g_assert_true(record_check(frame->data, frame->len, &head, NULL));
    g_assert_cmpuint(head.type, ==, RECORD_MAIL);
    g_assert_cmpuint(head.flags, ==, 0x21);
    g_assert_true(record_unseal(key, frame->data, &head, plain, NULL));
    g_assert_cmpmem(plain->data, plain->len, "hello", 5);
    for (unsigned bit = 0; bit < 8 * frame->len; bit++) {
        frame->data[bit / 8] ^= (uint8_t) (1 << bit % 8);
        g_assert_false(record_check(frame->data, frame->len, &head, NULL));
        frame->data[bit / 8] ^= (uint8_t) (1 << bit % 8);
    }
}

/* The checksum is no secret: one who makes it right still fails at the tag. */
static void test_forged_head(void)
{
    g_autoptr(MkKey) key = mk_key_new_random();
    g_autoptr(GByteArray) frame = record_seal(key, RECORD_MAIL, 0, "hello", 5);
    g_autoptr(GByteArray) plain = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    RecordHead head;
    size_t covered = frame->len - RECORD_CRC_BYTES;

    frame->data[4] = RECORD_RECEIPT;
    set_u32(frame->data + covered, crc32c(frame->data, covered));
    g_assert_true(record_check(frame->data, frame->len, &head, NULL));
    g_assert_false(record_unseal(key, frame->data, &head, plain, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_CORRUPT);
    g_assert_cmpuint(plain->len, ==, 0);
}

static void test_commit(void)
{
    g_autoptr(MkKey) key = mk_key_new_random();
    CommitFields fields = { 7, 3, 100, 2, 5000, { { 0 } } }, read;
    g_autoptr(GByteArray) frame = NULL;
    MkHashState state;
    MkHash chain;
    RecordHead head;

    mk_hash_start(&state, NULL);
    mk_hash_add(&state, "records", 7);
    frame = commit_record_make(key, &state, &fields);
    g_assert_true(record_check(frame->data, frame->len, &head, NULL));
    g_assert_true(commit_record_parse(key, frame->data, &head, &read));
    g_assert_cmpuint(read.batch, ==, 7);
    g_assert_cmpuint(read.record_count, ==, 3);
    g_assert_cmpuint(read.first_number, ==, 100);
    g_assert_cmpuint(read.mail_count, ==, 2);
    g_assert_cmpuint(read.last_change, ==, 5000);
    /* the chain as an outsider makes it */
    mk_hash_start(&state, NULL);
    mk_hash_add(&state, "records", 7);
    mk_hash_add(&state, frame->data, commit_record_chained_length(&head));
    mk_hash_end(&state, &chain);
    g_assert_cmpmem(&chain, sizeof chain, &read.chain, sizeof read.chain);
    for (guint i = 0; i < frame->len - RECORD_CRC_BYTES; i++) {
        frame->data[i] ^= 1;
        if (record_head_parse(frame->data, &head) && record_frame_length(&head) == frame->len)
            g_assert_false(commit_record_parse(key, frame->data, &head, &read));
        frame->data[i] ^= 1;
    }
}

static void test_codec(void)
{
    Codec *codec = codec_new();
    g_autofree char *text = g_strnfill(30000, 'x');
    static const size_t sizes[] = { 0, 1, 100, 30000 };

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++)
        for (unsigned small = 0; small < 2; small++) {
            g_autoptr(GByteArray) packed = g_byte_array_new();
            g_autoptr(GByteArray) out = g_byte_array_new();
            uint16_t flags = codec_pack(codec, text, sizes[i], small, packed);

            g_assert_true(
                codec_unpack(codec, flags, packed->data, packed->len, sizes[i], out, NULL));
            g_assert_cmpmem(out->data, out->len, text, sizes[i]);
            g_assert_cmpuint(packed->len, <=, sizes[i]);
            if (sizes[i] > 1)
                g_assert_false(
                    codec_unpack(codec, flags, packed->data, packed->len, sizes[i] - 1, out, NULL));
        }
    codec_free(codec);
}

static void test_codec_refuses(void)
{
    Codec *codec = codec_new();
    g_autoptr(GByteArray) packed = g_byte_array_new();
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autofree char *text = g_strnfill(3000, 'x');
    uint16_t flags = codec_pack(codec, text, 3000, true, packed);

    g_assert_false(codec_unpack(codec, 0x0002, packed->data, packed->len, 9999, out, NULL));
    g_assert_false(codec_unpack(codec, flags | 0x0200, packed->data, packed->len, 9999, out, NULL));
    g_assert_false(codec_unpack(codec, 0xfff1, packed->data, packed->len, 9999, out, NULL));
    g_assert_false(codec_unpack(codec, flags, packed->data, packed->len - 1, 9999, out, NULL));
    g_assert_cmpuint(out->len, ==, 0);
    codec_free(codec);
}

static void test_numbers(void)
{
    static const int64_t values[] = { 0,          -1,        1, 1772445600123, -62135596800000,
                                      G_MAXINT64, G_MININT64 };

    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++)
        g_assert_cmpint(unzigzag(zigzag(values[i])), ==, values[i]);
    g_assert_cmpuint(zigzag(-1), ==, 1);
    g_assert_cmpuint(blob_count_for(0), ==, 0);
    g_assert_cmpuint(blob_count_for(1), ==, 1);
    g_assert_cmpuint(blob_count_for(MK_LIMIT_BLOB_BYTES), ==, 1);
    g_assert_cmpuint(blob_count_for(MK_LIMIT_BLOB_BYTES + 1), ==, 2);
}

/* Any octets: the parsers say no, and read nothing they were not given (sanitizers watch). */
static void test_payload_garbage(void)
{
    for (unsigned round = 0; round < 20000; round++) {
        g_autoptr(GByteArray) payload = g_byte_array_new();
        MailView view;

        g_byte_array_set_size(payload, (guint) g_test_rand_int_range(0, 120));
        for (guint i = 0; i < payload->len; i++)
            payload->data[i] = (uint8_t) g_test_rand_int_range(0, 256) & (round % 2 ? 0xff : 0x83);
        if (payload->len > 0)
            payload->data[0] = 1;
        if (mail_view_parse(payload, &view, NULL))
            mail_view_clear(&view);
        if (receipt_payload_parse(payload, &view, NULL))
            mail_view_clear(&view);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(mk_crypto_init(NULL));
    g_test_add_func("/store/record/crc32c", test_crc32c);
    g_test_add_func("/store/record/frame", test_frame);
    g_test_add_func("/store/record/forged-head", test_forged_head);
    g_test_add_func("/store/record/commit", test_commit);
    g_test_add_func("/store/codec/round-trip", test_codec);
    g_test_add_func("/store/codec/refuses", test_codec_refuses);
    g_test_add_func("/store/payload/numbers", test_numbers);
    g_test_add_func("/store/payload/garbage", test_payload_garbage);
    return g_test_run();
}
