/* password_policy.c - which passwords are good enough (US-04, US-05) */
#include <mailkeep/archive.h>

#include <string.h>

#include <mailkeep/limits.h>

enum { MIN_CHARACTERS = 10, MAX_IN_A_ROW = 2, MIN_CLASSES = 3 };

enum {
    CLASS_UPPER = 1 << 0,
    CLASS_LOWER = 1 << 1,
    CLASS_DIGIT = 1 << 2,
    CLASS_SPECIAL = 1 << 3,
    CLASS_UNCASED = 1 << 4, /* letters without upper and lower case: Chinese, Japanese ... */
};

/*
 * The specials of US-05 are the blank and all printable ASCII that is no letter or digit. Cased
 * letters beyond ASCII count for no class: the rule is taken literally.
 */
static unsigned class_of(gunichar c)
{
    if (c < 0x80) {
        if (g_ascii_isupper((char) c))
            return CLASS_UPPER;
        if (g_ascii_islower((char) c))
            return CLASS_LOWER;
        if (g_ascii_isdigit((char) c))
            return CLASS_DIGIT;
        return c >= ' ' && c < 0x7f ? CLASS_SPECIAL : 0;
    }
    if (!g_unichar_isalpha(c) || g_unichar_isupper(c) || g_unichar_islower(c) ||
        g_unichar_istitle(c))
        return 0;
    return CLASS_UNCASED;
}

typedef struct {
    unsigned characters;
    unsigned classes;
    unsigned longest_run;
    bool has_control;
} Shape;

static Shape shape_of(const char *password)
{
    Shape shape = { 0 };
    gunichar before = 0;
    unsigned run = 0;

    for (const char *p = password; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        run = c == before ? run + 1 : 1;
        before = c;
        shape.characters++;
        shape.classes |= class_of(c);
        shape.longest_run = MAX(shape.longest_run, run);
        shape.has_control |= g_unichar_iscntrl(c);
    }
    return shape;
}

static bool contains_folded(const char *text, const char *part)
{
    g_autofree char *folded_text = g_utf8_casefold(text, -1);
    g_autofree char *folded_part = g_utf8_casefold(part, -1);
    bool found = strstr(folded_text, folded_part) != NULL;

    explicit_bzero(folded_text, strlen(folded_text));
    return found;
}

static unsigned bits_in(unsigned bits)
{
    return (unsigned) __builtin_popcount(bits);
}

static const char *const product_names[] = { "mailkeep", "mailstore", NULL };

const MkPasswordPolicy *mk_password_policy(void)
{
    static const MkPasswordPolicy policy = { .min_characters = MIN_CHARACTERS,
                                             .max_in_a_row = MAX_IN_A_ROW,
                                             .min_classes = MIN_CLASSES,
                                             .forbidden = product_names };

    return &policy;
}

static bool contains_product_name(const char *password)
{
    for (const char *const *name = product_names; *name != NULL; name++)
        if (contains_folded(password, *name))
            return true;
    return false;
}

bool mk_password_policy_check(const char *user_name, const char *password, GError **error)
{
    Shape shape;

    if (strlen(password) > MK_LIMIT_PASSWORD_BYTES)
        return mk_fail(error, MK_ERROR_INVALID, "the password is longer than %d octets",
                       MK_LIMIT_PASSWORD_BYTES);
    if (!g_utf8_validate(password, -1, NULL))
        return mk_fail(error, MK_ERROR_INVALID, "the password is not valid UTF-8");
    shape = shape_of(password);
    if (shape.has_control)
        return mk_fail(error, MK_ERROR_INVALID, "the password holds a control character");
    if (shape.characters < MIN_CHARACTERS)
        return mk_fail(error, MK_ERROR_INVALID, "the password must have at least %d characters",
                       MIN_CHARACTERS);
    if (user_name[0] != '\0' && contains_folded(password, user_name))
        return mk_fail(error, MK_ERROR_INVALID, "the password must not contain the user name");
    if (contains_product_name(password))
        return mk_fail(error, MK_ERROR_INVALID, "the password must not contain the product's name");
    if (shape.longest_run > MAX_IN_A_ROW)
        return mk_fail(error, MK_ERROR_INVALID,
                       "the password has the same character more than twice in a row");
    if (bits_in(shape.classes) < MIN_CLASSES)
        return mk_fail(error, MK_ERROR_INVALID,
                       "the password must have characters of at least three of these kinds: A-Z, "
                       "a-z, 0-9, special characters, letters without upper and lower case");
    return true;
}
