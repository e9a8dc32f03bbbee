/*
 * codec.c - zstd with the store's dictionaries
 *
 * A record's flags: low four bits 0 = stored, 1 = zstd; the other twelve the dictionary's number.
 * Small things are compressed with the newest dictionary, which is worth more than any level;
 * large ones have enough of their own to refer to.
 */
#include <string.h>

#include <zstd.h>

#include "internal.h"

#define METHOD_STORED 0
#define METHOD_ZSTD 1
#define LEVEL_SMALL 5
#define LEVEL_LARGE 3
#define WORTH_PERCENT 97 /* kept as it is when compression saves less than three per cent */

/* Only the newest compresses, and its tables take a megabyte: they are made when it first does. */
typedef struct {
    GBytes *text;
    ZSTD_CDict *compress; /* atomic pointer; NULL until it is wanted */
    ZSTD_DDict *expand;
} Dictionary;

static void dictionary_free(Dictionary *dictionary)
{
    ZSTD_freeCDict(dictionary->compress);
    ZSTD_freeDDict(dictionary->expand);
    g_bytes_unref(dictionary->text);
    g_free(dictionary);
}

static Dictionary *dictionary_new(const void *data, size_t length)
{
    Dictionary *dictionary = g_new0(Dictionary, 1);

    dictionary->text = g_bytes_new(data, length);
    dictionary->expand = ZSTD_createDDict(data, length);
    if (dictionary->expand != NULL)
        return dictionary;
    dictionary_free(dictionary);
    return NULL;
}

struct Codec {
    pthread_mutex_t lock;                         /* of adding, and of making what compresses */
    Dictionary *dictionaries[DICTIONARY_MAX + 1]; /* atomic pointers; never replaced or freed */
    gint newest;                                  /* atomic */
};

/* One context a thread, reused: making one costs more than compressing a mail. */
static void free_compressor(gpointer context)
{
    ZSTD_freeCCtx(context);
}

static void free_expander(gpointer context)
{
    ZSTD_freeDCtx(context);
}

static ZSTD_CCtx *compressor(void)
{
    static GPrivate slot = G_PRIVATE_INIT(free_compressor);
    ZSTD_CCtx *context = g_private_get(&slot);

    if (context == NULL) {
        context = ZSTD_createCCtx();
        if (context == NULL)
            g_error("no memory for a compressor");
        ZSTD_CCtx_setParameter(context, ZSTD_c_dictIDFlag, 0); /* our flags say it */
        ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1);
        g_private_set(&slot, context);
    }
    return context;
}

static ZSTD_DCtx *expander(void)
{
    static GPrivate slot = G_PRIVATE_INIT(free_expander);
    ZSTD_DCtx *context = g_private_get(&slot);

    if (context == NULL) {
        context = ZSTD_createDCtx();
        if (context == NULL)
            g_error("no memory for a decompressor");
        g_private_set(&slot, context);
    }
    return context;
}

static GBytes *builtin_text(void)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < builtin_dictionary_count; i++)
        g_string_append(text, builtin_dictionary[i]);
    return g_string_free_to_bytes(text);
}

Codec *codec_new(void)
{
    Codec *codec = g_new0(Codec, 1);
    g_autoptr(GBytes) text = builtin_text();

    pthread_mutex_init(&codec->lock, NULL);
    if (!codec_add_dictionary(codec, DICTIONARY_BUILTIN, g_bytes_get_data(text, NULL),
                              g_bytes_get_size(text), NULL))
        g_error("no memory for the built-in dictionary");
    return codec;
}

void codec_free(Codec *codec)
{
    if (codec == NULL)
        return;
    for (unsigned i = 0; i <= DICTIONARY_MAX; i++)
        if (codec->dictionaries[i] != NULL)
            dictionary_free(codec->dictionaries[i]);
    pthread_mutex_destroy(&codec->lock);
    g_free(codec);
}

bool codec_add_dictionary(Codec *codec, unsigned number, const void *data, size_t length,
                          GError **error)
{
    G_GNUC_UNUSED g_auto(Locked) locked = lock_scope(&codec->lock);
    Dictionary *dictionary;

    if (number > DICTIONARY_MAX)
        return mk_fail(error, MK_ERROR_LIMIT, "the store has %d dictionaries already",
                       DICTIONARY_MAX);
    if (codec->dictionaries[number] != NULL)
        return true; /* the packs are read again after a failure */
    dictionary = dictionary_new(data, length);
    if (dictionary == NULL)
        return mk_fail(error, MK_ERROR_CORRUPT, "dictionary %u cannot be used", number);
    g_atomic_pointer_set(&codec->dictionaries[number], dictionary);
    if ((gint) number > g_atomic_int_get(&codec->newest))
        g_atomic_int_set(&codec->newest, (gint) number);
    /* cppcheck-suppress memleak ; the codec has it */
    return true;
}

unsigned codec_newest(Codec *codec)
{
    return (unsigned) g_atomic_int_get(&codec->newest);
}

static ZSTD_CDict *make_compress(Codec *codec, Dictionary *dictionary)
{
    G_GNUC_UNUSED g_auto(Locked) locked = lock_scope(&codec->lock);
    ZSTD_CDict *made;
    gsize length;
    const void *data = g_bytes_get_data(dictionary->text, &length);

    if (dictionary->compress != NULL) /* another thread was faster */
        return dictionary->compress;
    made = ZSTD_createCDict(data, length, LEVEL_SMALL);
    g_atomic_pointer_set(&dictionary->compress, made);
    return made;
}

/* The newest one, and its number; without memory for it NULL, for none. */
static ZSTD_CDict *newest_compress(Codec *codec, unsigned *out_number)
{
    unsigned number = codec_newest(codec);
    Dictionary *dictionary = g_atomic_pointer_get(&codec->dictionaries[number]);
    ZSTD_CDict *made = g_atomic_pointer_get(&dictionary->compress);

    if (made == NULL)
        made = make_compress(codec, dictionary);
    *out_number = made == NULL ? DICTIONARY_NONE : number;
    return made;
}

static size_t compress_into(const ZSTD_CDict *dictionary, const void *data, size_t length,
                            uint8_t *out, size_t room)
{
    ZSTD_CCtx *context = compressor();

    ZSTD_CCtx_refCDict(context, dictionary);
    if (dictionary == NULL)
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL_LARGE);
    return ZSTD_compress2(context, out, room, data, length);
}

uint16_t codec_pack(Codec *codec, const void *data, size_t length, bool small, GByteArray *out)
{
    unsigned number = DICTIONARY_NONE;
    const ZSTD_CDict *dictionary = small ? newest_compress(codec, &number) : NULL;
    guint start = out->len;
    size_t worth = length / 100 * WORTH_PERCENT + length % 100;
    size_t packed;

    g_byte_array_set_size(out, start + (guint) ZSTD_compressBound(length));
    packed = compress_into(dictionary, data, length, out->data + start, out->len - start);
    if (!ZSTD_isError(packed) && packed < worth) {
        g_byte_array_set_size(out, start + (guint) packed);
        return (uint16_t) (METHOD_ZSTD | number << 4);
    }
    g_byte_array_set_size(out, start);
    g_byte_array_append(out, data, (guint) length);
    return METHOD_STORED;
}

static bool unpack_zstd(Codec *codec, unsigned number, const uint8_t *data, size_t length,
                        size_t max, GByteArray *out, GError **error)
{
    unsigned long long size = ZSTD_getFrameContentSize(data, length);
    const Dictionary *dictionary = NULL;
    guint start = out->len;
    size_t n;

    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > max)
        return mk_fail(error, MK_ERROR_CORRUPT, "a record's compressed size is wrong");
    if (number != DICTIONARY_NONE) {
        if (number <= DICTIONARY_MAX)
            dictionary = g_atomic_pointer_get(&codec->dictionaries[number]);
        if (dictionary == NULL)
            return mk_fail(error, MK_ERROR_CORRUPT, "a record needs the missing dictionary %u",
                           number);
    }
    g_byte_array_set_size(out, start + (guint) size);
    n = dictionary != NULL ? ZSTD_decompress_usingDDict(expander(), out->data + start, size, data,
                                                        length, dictionary->expand)
                           : ZSTD_decompressDCtx(expander(), out->data + start, size, data, length);
    if (ZSTD_isError(n) || n != size) {
        g_byte_array_set_size(out, start);
        return mk_fail(error, MK_ERROR_CORRUPT, "a record cannot be decompressed");
    }
    return true;
}

bool codec_unpack(Codec *codec, uint16_t flags, const uint8_t *data, size_t length, size_t max,
                  GByteArray *out, GError **error)
{
    switch (flags & 0xf) {
    case METHOD_STORED:
        if (flags != METHOD_STORED || length > max)
            break;
        g_byte_array_append(out, data, (guint) length);
        return true;
    case METHOD_ZSTD: return unpack_zstd(codec, flags >> 4, data, length, max, out, error);
    default: break;
    }
    return mk_fail(error, MK_ERROR_CORRUPT, "a record is compressed in an unknown way");
}
