/* setup_recovery.c - has the recovery key been written down? Two of its groups are asked for */
#include <string.h>

#include <mailkeep/base.h>

#include "setup.h"

static unsigned random_below(unsigned end)
{
    uint32_t number;

    mk_random(&number, sizeof number); /* the slight bias is no matter: this is no secret */
    return number % end;
}

void setup_recovery_ask(const char *recovery, unsigned out[SETUP_ASKED])
{
    g_auto(GStrv) groups = g_strsplit(recovery, "-", -1);
    unsigned count = g_strv_length(groups);
    unsigned first = random_below(count);
    unsigned second = (first + 1 + random_below(count - 1)) % count;

    for (char **group = groups; *group != NULL; group++)
        mk_wipe(*group, strlen(*group));
    out[0] = MIN(first, second) + 1;
    out[1] = MAX(first, second) + 1;
}

/* As recovery keys are read from paper (crypto.h): no I, L, O among its characters. */
static char normalise(char c)
{
    c = g_ascii_toupper(c);
    if (c == 'O')
        return '0';
    return c == 'I' || c == 'L' ? '1' : c;
}

bool setup_recovery_fits(const char *recovery, unsigned group, const char *answer)
{
    const char *at = recovery;

    for (unsigned i = 1; i < group && at != NULL; i++) {
        at = strchr(at, '-');
        at = at != NULL ? at + 1 : NULL;
    }
    if (at == NULL || group == 0)
        return false;
    for (; *answer != '\0'; answer++) {
        if (g_ascii_isspace(*answer))
            continue;
        if (*at == '\0' || *at == '-' || normalise(*answer) != *at)
            return false;
        at++;
    }
    return *at == '\0' || *at == '-';
}
