/* id.c - random ids, and the outside id of a mail */
#include <mailkeep/base.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static void fill_random(uint8_t *out, size_t length)
{
    while (length > 0) {
        ssize_t got = getrandom(out, length, 0);

        if (got < 0 && errno != EINTR)
            g_error("the system's random source fails: %s", g_strerror(errno)); /* aborts */
        if (got > 0) {
            out += got;
            length -= (size_t) got;
        }
    }
}

void mk_id_random_hex(char *out, size_t bytes)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t block[32];

    for (size_t at = 0; at < bytes; at++) {
        if (at % sizeof block == 0)
            fill_random(block, MIN(sizeof block, bytes - at));
        out[2 * at] = digits[block[at % sizeof block] >> 4];
        out[2 * at + 1] = digits[block[at % sizeof block] & 15];
    }
    out[2 * bytes] = '\0';
    explicit_bzero(block, sizeof block); /* ids serve as session tokens too */
}

/* Decimal without sign or spare zeros, so that one mail has one spelling; @text moves behind. */
static bool parse_number(const char **text, uint32_t *out_number)
{
    const char *p = *text;
    uint64_t number = 0;

    if (!g_ascii_isdigit(*p) || (p[0] == '0' && g_ascii_isdigit(p[1])))
        return false;
    for (; g_ascii_isdigit(*p); p++) {
        number = number * 10 + (uint64_t) (*p - '0');
        if (number > UINT32_MAX)
            return false;
    }
    *text = p;
    *out_number = (uint32_t) number;
    return true;
}

bool mk_mail_id_parse(const char *text, MkMailId *out_id)
{
    MkMailId id;

    if (!parse_number(&text, &id.store_id) || *text++ != ':')
        return false;
    if (!parse_number(&text, &id.number) || *text != '\0' || id.number == 0)
        return false;
    *out_id = id;
    return true;
}

void mk_mail_id_format(MkMailId id, char out[24])
{
    snprintf(out, 24, "%u:%u", (unsigned) id.store_id, (unsigned) id.number);
}
