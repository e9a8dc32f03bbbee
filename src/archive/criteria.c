/*
 * criteria.c - the criteria of a search by their names, as arguments and saved searches have them
 *
 * Texts in, an MkFind out; docs/protocols/web-api.md has the names and their values.
 */
#include <string.h>

#include "internal.h"

enum { DAY_MS = 86400000 };

static const char *const names[] = {
    "q",
    "fields",
    "fromWords",
    "recipients",
    "folder",
    "subfolders",
    "preset",
    "from",
    "to",
    "archivedPreset",
    "archivedFrom",
    "archivedTo",
    "attachments",
    "sizeMin",
    "sizeMax",
    "importance",
    "text",
    "store",
    "group",
    "sort",
    "order",
    NULL,
};

const char *const *mk_criteria_names(void)
{
    return names;
}

void mk_criteria_clear(MkCriteria *criteria)
{
    g_clear_pointer(&criteria->query, g_free);
    g_clear_pointer(&criteria->from, g_free);
    g_clear_pointer(&criteria->recipients, g_free);
    g_clear_pointer(&criteria->folder, g_free);
}

typedef struct {
    MkCriterionFunc get;
    void *cookie;
    MkFind *find;
} Source;

/* Left empty counts as left out. */
static const char *get(const Source *source, const char *name)
{
    const char *text = source->get(name, source->cookie);

    return text != NULL && *text != '\0' ? text : NULL;
}

/* -- texts ------------------------------------------------------------------------------------- */
static bool read_text(const Source *source, const char *name, size_t max_bytes, char **out,
                      const char **out_shown, GError **error)
{
    const char *text = get(source, name);

    if (text == NULL)
        return true;
    if (strlen(text) > max_bytes)
        return mk_fail(error, MK_ERROR_LIMIT, "%s is longer than %zu octets.", name, max_bytes);
    *out = g_strdup(text);
    *out_shown = *out;
    return true;
}

/* -- names ------------------------------------------------------------------------------------- */
typedef struct {
    const char *name; /* NULL ends the list */
    unsigned value;
} Choice;

static const Choice *choice_find(const Choice *choices, const char *text, size_t length)
{
    for (; choices->name != NULL; choices++)
        if (strlen(choices->name) == length && strncmp(choices->name, text, length) == 0)
            return choices;
    return NULL;
}

static bool fail_choice(const char *name, const Choice *choices, GError **error)
{
    g_autoptr(GString) list = g_string_new(NULL);

    for (; choices->name != NULL; choices++)
        g_string_append_printf(list, "%s%s", list->len > 0 ? ", " : "", choices->name);
    return mk_fail(error, MK_ERROR_INVALID, "%s must be of: %s.", name, list->str);
}

/* One of them; *out stays as it is when it is left out. */
static bool read_choice(const Source *source, const char *name, const Choice *choices,
                        unsigned *out, GError **error)
{
    const char *text = get(source, name);
    const Choice *choice;

    if (text == NULL)
        return true;
    choice = choice_find(choices, text, strlen(text));
    if (choice == NULL)
        return fail_choice(name, choices, error);
    *out = choice->value;
    return true;
}

/* Any of them, with commas between: their bits. */
static bool read_set(const Source *source, const char *name, const Choice *choices, unsigned *out,
                     GError **error)
{
    const char *text = get(source, name);

    *out = 0;
    while (text != NULL) {
        size_t length = strcspn(text, ",");
        const Choice *choice = choice_find(choices, text, length);

        if (choice == NULL)
            return fail_choice(name, choices, error);
        *out |= choice->value;
        text = text[length] == ',' ? text + length + 1 : NULL;
    }
    return true;
}

static const Choice field_choices[] = {
    { "subject", MK_FIELD_BIT(MK_FIELD_SUBJECT) },
    { "addresses", MK_FIELD_BIT(MK_FIELD_FROM) | MK_FIELD_BIT(MK_FIELD_TO) |
                       MK_FIELD_BIT(MK_FIELD_CC) | MK_FIELD_BIT(MK_FIELD_BCC) },
    { "body", MK_FIELD_BIT(MK_FIELD_BODY) },
    { "attachmentNames", MK_FIELD_BIT(MK_FIELD_ATTACHMENT_NAME) },
    { "attachmentContents", MK_FIELD_BIT(MK_FIELD_ATTACHMENT_TEXT) },
    { NULL, 0 },
};

static const Choice text_choices[] = {
    { "truncated", MK_INDEX_TEXT_TRUNCATED },
    { "failed", MK_INDEX_TEXT_FAILED },
    { "encrypted", MK_INDEX_TEXT_ENCRYPTED },
    { "not-indexed", MK_INDEX_TEXT_NOT_INDEXED },
    { NULL, 0 },
};

enum { LOW = 1 << 0, NORMAL = 1 << 1, HIGH = 1 << 2 };
static const Choice importance_choices[] = {
    { "low", LOW }, { "normal", NORMAL }, { "high", HIGH }, { NULL, 0 }
};

static const Choice attachment_choices[] = {
    { "any", MK_ATTACHMENTS_ANY },
    { "with", MK_ATTACHMENTS_WITH },
    { "without", MK_ATTACHMENTS_WITHOUT },
    { "neither", MK_ATTACHMENTS_NEITHER },
    { NULL, 0 },
};

static const Choice group_choices[] = {
    { "none", MK_GROUP_NONE },
    { "copies", MK_GROUP_COPIES },
    { "conversation", MK_GROUP_CONVERSATION },
    { NULL, 0 },
};

static const Choice sort_choices[] = {
    { "date", MK_SORT_DATE },
    { "archived", MK_SORT_ARCHIVED },
    { "size", MK_SORT_SIZE },
    { "from", MK_SORT_FROM },
    { "to", MK_SORT_TO },
    { "subject", MK_SORT_SUBJECT },
    { NULL, 0 },
};

static const Choice order_choices[] = { { "asc", 1 }, { "desc", 0 }, { NULL, 0 } };

static const Choice bool_choices[] = {
    { "true", 1 }, { "1", 1 }, { "false", 0 }, { "0", 0 }, { NULL, 0 }
};

static bool read_boxes(const Source *source, GError **error)
{
    MkFind *find = source->find;
    unsigned importance, text;

    if (!read_set(source, "fields", field_choices, &find->fields, error) ||
        !read_set(source, "importance", importance_choices, &importance, error) ||
        !read_set(source, "text", text_choices, &text, error))
        return false;
    find->text_flags = text;
    find->importance_low = (importance & LOW) != 0;
    find->importance_normal = (importance & NORMAL) != 0;
    find->importance_high = (importance & HIGH) != 0;
    return true;
}

/* Newest and largest first, texts from A, when nothing else is said. */
static bool read_choices(const Source *source, GError **error)
{
    MkFind *find = source->find;
    unsigned attachments = MK_ATTACHMENTS_ANY, group = MK_GROUP_NONE, sort = MK_SORT_DATE;
    unsigned ascending, subfolders = 1;

    if (!read_choice(source, "attachments", attachment_choices, &attachments, error) ||
        !read_choice(source, "group", group_choices, &group, error) ||
        !read_choice(source, "sort", sort_choices, &sort, error) ||
        !read_choice(source, "subfolders", bool_choices, &subfolders, error))
        return false;
    ascending = sort == MK_SORT_FROM || sort == MK_SORT_TO || sort == MK_SORT_SUBJECT;
    if (!read_choice(source, "order", order_choices, &ascending, error))
        return false;
    find->attachments = (MkAttachmentFilter) attachments;
    find->group = (MkGroup) group;
    find->sort = (MkSort) sort;
    find->ascending = ascending != 0;
    find->only_folder = subfolders == 0;
    return true;
}

/* -- numbers ----------------------------------------------------------------------------------- */
static bool read_number(const Source *source, const char *name, guint64 max, guint64 *out,
                        GError **error)
{
    const char *text = get(source, name);

    *out = 0;
    if (text == NULL || g_ascii_string_to_unsigned(text, 10, 0, max, out, NULL))
        return true;
    return mk_fail(error, MK_ERROR_INVALID, "%s must be a number from 0 to %" G_GUINT64_FORMAT ".",
                   name, max);
}

static bool read_numbers(const Source *source, GError **error)
{
    MkFind *find = source->find;
    guint64 store, min, max;

    if (!read_number(source, "store", UINT32_MAX, &store, error) ||
        !read_number(source, "sizeMin", INT64_MAX, &min, error) ||
        !read_number(source, "sizeMax", INT64_MAX, &max, error))
        return false;
    if (max != 0 && min > max)
        return mk_fail_hint(error, MK_ERROR_INVALID, "size-order", 0,
                            "sizeMin must not be larger than sizeMax.");
    find->store_id = (uint32_t) store;
    find->size_min_bytes = min;
    find->size_max_bytes = max;
    return true;
}

/* -- dates ------------------------------------------------------------------------------------- */
static bool is_of_form(const char *text, const char *form)
{
    for (; *form != '\0'; text++, form++)
        if (*form == '0' ? !g_ascii_isdigit(*text) : *text != *form)
            return false;
    return *text == '\0';
}

/* 2026-01-31 or 2026-01-31T12:00:00, UTC; its last millisecond too, both being inclusive. */
static bool date_parse(const char *text, int64_t *out_first_ms, int64_t *out_last_ms)
{
    bool is_day = is_of_form(text, "0000-00-00");
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autofree char *full = is_day ? g_strconcat(text, "T00:00:00", NULL) : g_strdup(text);
    g_autoptr(GDateTime) date = NULL;

    if (is_day || is_of_form(text, "0000-00-00T00:00:00"))
        date = g_date_time_new_from_iso8601(full, utc);
    if (date == NULL) /* there is no such day */
        return false;
    *out_first_ms = g_date_time_to_unix(date) * 1000;
    *out_last_ms = *out_first_ms + (is_day ? DAY_MS : 1000) - 1;
    return true;
}

static bool read_date(const Source *source, const char *name, int64_t *out_first_ms,
                      int64_t *out_last_ms, GError **error)
{
    const char *text = get(source, name);

    return text == NULL || date_parse(text, out_first_ms, out_last_ms) ||
           mk_fail_hint(error, MK_ERROR_INVALID, "date-form", 0,
                        "%s must be a date of the form YYYY-MM-DD.", name);
}

/* An end that is left out is open. */
static bool read_range(const Source *source, const char *from, const char *to, int64_t *out_from_ms,
                       int64_t *out_to_ms, GError **error)
{
    int64_t first_ms = INT64_MIN, last_ms = INT64_MAX, unused_ms;

    if (!read_date(source, from, &first_ms, &unused_ms, error) ||
        !read_date(source, to, &unused_ms, &last_ms, error))
        return false;
    if (first_ms > last_ms)
        return mk_fail_hint(error, MK_ERROR_INVALID, "date-order", 0, "%s must not be behind %s.",
                            from, to);
    if (first_ms != INT64_MIN || last_ms != INT64_MAX) {
        *out_from_ms = first_ms;
        *out_to_ms = last_ms;
    }
    return true;
}

/* A preset, or two dates of one's own, for which the form's preset is "custom". */
static bool read_dates(const Source *source, const char *preset, const char *from, const char *to,
                       int64_t *out_from_ms, int64_t *out_to_ms, GError **error)
{
    const char *name = get(source, preset);

    if (name == NULL || strcmp(name, "custom") == 0)
        return read_range(source, from, to, out_from_ms, out_to_ms, error);
    if (get(source, from) != NULL || get(source, to) != NULL)
        return mk_fail(error, MK_ERROR_INVALID, "%s stands instead of %s and %s.", preset, from,
                       to);
    return mk_date_preset(name, mk_clock_unix_ms(), out_from_ms, out_to_ms) ||
           mk_fail(error, MK_ERROR_INVALID,
                   "%s must be custom, today, yesterday, this-week, last-week, this-month, "
                   "last-month, this-year or last-year.",
                   preset);
}

/* -- all of them ------------------------------------------------------------------------------- */
static bool read_texts(const Source *source, MkCriteria *out, GError **error)
{
    MkFind *find = &out->find;

    return read_text(source, "q", MK_LIMIT_QUERY_BYTES, &out->query, &find->query, error) &&
           read_text(source, "fromWords", MK_LIMIT_QUERY_BYTES, &out->from, &find->from, error) &&
           read_text(source, "recipients", MK_LIMIT_QUERY_BYTES, &out->recipients,
                     &find->recipients, error) &&
           read_text(source, "folder", MK_LIMIT_FOLDER_PATH_BYTES, &out->folder, &find->folder,
                     error);
}

bool mk_criteria_read(MkCriteria *out, MkCriterionFunc get_text, void *cookie, GError **error)
{
    MkFind *find = &out->find;
    Source source = { get_text, cookie, find };

    *out = (MkCriteria){ .query = NULL };
    if (read_texts(&source, out, error) && read_boxes(&source, error) &&
        read_choices(&source, error) && read_numbers(&source, error) &&
        read_dates(&source, "preset", "from", "to", &find->date_from_unix_ms,
                   &find->date_to_unix_ms, error) &&
        read_dates(&source, "archivedPreset", "archivedFrom", "archivedTo",
                   &find->archived_from_unix_ms, &find->archived_to_unix_ms, error))
        return true;
    mk_criteria_clear(out);
    return false;
}
