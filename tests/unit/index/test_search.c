#include <string.h>

#include <mailkeep/limits.h>

#include "samples.h"

static const struct {
    const char *name;
    const char *query;
    const char *found;
} cases[] = {
    /* search-syntax.md 3, word for word */
    { "Q01", "Auto*", "1 2 3" },
    { "Q02", "*example.com", "3 4 5 6 7" },
    { "Q03", "vorname.nachname*", "3" },
    { "Q04", "Me?er", "3 8" },
    { "Q05", "?eier", "INVALID" },
    { "Q06", "Meie?", "INVALID" },
    { "Q07", "\"Microsoft Windows\"", "8" },
    { "Q08", "Microsoft Windows", "8 9" },
    { "Q09", "subject:Nachrichten", "2" },
    { "Q10", "from:john@mailkeep.example", "8 9" },
    { "Q11", "to:michael@mailkeep.example", "3" },
    { "Q12", "cc:lisa@mailkeep.example", "8" },
    { "Q13", "bcc:customers@mailkeep.example", "8" },
    { "Q14", "bcontent:Rechnung", "" },
    { "Q15", "acontent:Rechnung", "4 5" },
    { "Q16", "Rechnung", "4 5 9" },
    { "Q17", "ZDNet -Download-Tipp", "2" },
    { "Q18", "ZDNET -\"Daily Update\"", "1" },
    { "Q19", "from:ZDNET bcontent:Auto", "1" },
    { "Q20", "from:versand@example.com acontent:Rechnung", "4 5" },
    { "Q21", "to:bewerbung@example.com -Bewerbung", "7" },
    { "Q22",
      "from:versand@example.com to:meineadresse@company.tld acontent:Rechnung -subject:Mahnung",
      "4" },
    { "Q23", "vorname", "3" },
    { "Q23", "nachname", "3" },
    { "Q23", "vorname.nachname", "3" },
    { "Q24", "nachname.vorname", "" },
    { "Q25", "zdnet", "1 2" },
    { "Q26", "acontent:Lebenslauf", "" },
    { "Q27", "R4711", "4 5" },
    { "Q28", "-ZDNet", "3 4 5 6 7 8 9" },
    { "Q29", "re:Termin", "" },
    { "Q30", "", "1 2 3 4 5 6 7 8 9" },
    { "Q31", "bcontent:\"Daily Update\"", "2" },
    { "Q32", "subject:\"Daily Update\"", "" },
    { "Q33", "-\"Microsoft Windows\" from:john@mailkeep.example", "9" },
    /* the note on Q21 and its counter-test */
    { "Q21 counter-test", "lisa@mailkeep.example -lisa", "" },
    { "Q21 pattern", "to:bewerbung* -Bewerbung", "7" },
    { "Q21 whole address", "to:bewerbung@example.com -bewerbung@example.com", "6 7" },
    { "Q21 other header", "from:max@firma.example -Bewerbung", "" },
    { "Q21 part outside", "to:bewerbung -example.com", "" },
    { "Q21 excluded clause", "-cc:lisa@mailkeep.example -lisa", "3 4 5 6 7 9" },
    /* section 2 */
    { "parts may be joined by anything", "vorname-nachname", "3" },
    { "phrase over separators", "\"Download Tipp\"", "1" },
    { "phrase without end", "\"Daily Update", "2" },
    { "wildcard inside", "Auto*tur", "3" },
    { "both ends", "*utomat*", "2" },
    { "leading", "*reparatur", "3" },
    { "leading and ?", "*m?ier -Maier", "3" },
    { "any token between", "bcontent:siehe.*", "4 5" },
    { "any token inside", "\"Microsoft Works\" bcontent:works.*.windows", "9" },
    { "field with any token", "acontent:*", "4 5" },
    { "no such field", "-cc:*", "1 2 3 4 5 6 7 9" },
    { "* alone", "*", "1 2 3 4 5 6 7 8 9" },
    { "fields are not mixed", "\"Mai Microsoft\"", "" },
    { "prefix, term not in that field", "from:lisa", "" },
    { "display name in from", "from:zdnet.news", "1 2" },
    { "exclusion of a field", "Rechnung -acontent:Rechnung", "9" },
    { "nothing like it", "xyzzy", "" },
    { "nothing like it *", "xyz*", "" },
    { "separators only", "... - \"\"", "1 2 3 4 5 6 7 8 9" },
    { "two exclusions", "-Rechnung -ZDNet", "3 6 7 8" },
};

static void run_cases(bool one_each)
{
    Sample sample;
    sample_init(&sample);
    sample_fill(&sample, one_each);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = sample_find(&sample, cases[i].query, true);
        if (strcmp(found, cases[i].found) != 0)
            g_test_message("%s", cases[i].name);
        g_assert_cmpstr(found, ==, cases[i].found);
    }
    sample_clear(&sample);
}

static void test_one_segment(void)
{
    run_cases(false);
}

static void test_many_segments(void)
{
    run_cases(true);
}

/* -- diacritics, envelope, values ------------------------------------------------------------- */
static const SampleMail more_mails[] = {
    { .number = 1, .subject = "Müller", .body = "Straße" },
    { .number = 2, .subject = "Muller", .body = "Strasse" },
    { .number = 3, .subject = "M\x75\xCC\x88LLER", .body = "STRASSE" },
    { .number = 4, .body = "naïve Łódź", .envelope = "geheim@example.com" },
    { .number = 5, .body = "naive Lodz", .bcc = "geheim@example.com" },
};

static const struct {
    const char *query;
    bool with_envelope;
    const char *found;
} more_cases[] = {
    { "Muller", false, "1 2 3" },
    { "Müller", false, "1 3" },
    { "Mull*", false, "1 2 3" },
    { "Mül*", false, "1 3" },
    { "M?ller", false, "1 2 3" },
    { "*üller", false, "1 3" },
    { "Strasse", false, "1 2 3" },
    { "Straße", false, "1 2 3" },
    { "naive.lodz", false, "4 5" },
    { "naïve.łódź", false, "4" },
    { "naive.łódź", false, "4" },
    { "geheim", false, "5" },
    { "geheim", true, "4 5" },
    { "bcc:geheim@example.com", false, "5" },
    { "bcc:geheim@example.com", true, "4 5" },
    { "to:geheim", true, "" },
    { "-geheim", false, "1 2 3 4" },
    { "-geheim", true, "1 2 3" },
    { "bcc:geheim@example.com -geheim", true, "4 5" },
};

static void test_folding_and_envelope(void)
{
    Sample sample;
    g_autoptr(GError) error = NULL;
    sample_init(&sample);
    MkIndexWriter *writer = mk_index_writer_new(sample.index);
    for (size_t i = 0; i < G_N_ELEMENTS(more_mails); i++)
        sample_add(writer, &more_mails[i]);
    g_assert_true(mk_index_writer_commit(writer, 1, &error));
    for (size_t i = 0; i < G_N_ELEMENTS(more_cases); i++) {
        g_autofree char *found =
            sample_find(&sample, more_cases[i].query, more_cases[i].with_envelope);
        if (strcmp(found, more_cases[i].found) != 0)
            g_test_message("case %zu", i);
        g_assert_cmpstr(found, ==, more_cases[i].found);
    }
    sample_clear(&sample);
}

/* Values of a field (two addresses, two file names) never match across their border. */
static void test_value_borders(void)
{
    static const char *const to[] = { "Anna Alt <a@x.example>", "Bert Bunt <b@y.example>", NULL };
    Sample sample;
    sample_init(&sample);
    MkIndexWriter *writer = mk_index_writer_new(sample.index);
    MkIndexDoc doc = { .number = 1 };
    doc.values[MK_FIELD_TO] = to;
    mk_index_writer_add(writer, &doc);
    g_assert_true(mk_index_writer_commit(writer, 1, NULL));

    g_autofree char *inside = sample_find(&sample, "to:\"Bert Bunt\" to:b@y.example", false);
    g_autofree char *across = sample_find(&sample, "\"example Bert\"", false);
    g_autofree char *gap = sample_find(&sample, "x.*.bert", false);
    g_assert_cmpstr(inside, ==, "1");
    g_assert_cmpstr(across, ==, "");
    g_assert_cmpstr(gap, ==, "");
    sample_clear(&sample);
}

/* -- words for some fields only ------------------------------------------------------------------ */
#define SUBJECT MK_FIELD_BIT(MK_FIELD_SUBJECT)
#define BODY MK_FIELD_BIT(MK_FIELD_BODY)
#define ADDRESSES                                                                          \
    (MK_FIELD_BIT(MK_FIELD_FROM) | MK_FIELD_BIT(MK_FIELD_TO) | MK_FIELD_BIT(MK_FIELD_CC) | \
     MK_FIELD_BIT(MK_FIELD_BCC))

static const struct {
    const char *words;
    unsigned fields;
    const char *from, *recipients;
    const char *found;
} boxes[] = {
    { "Rechnung", SUBJECT, NULL, NULL, "9" },
    { "Rechnung", SUBJECT | BODY, NULL, NULL, "9" },
    { "Rechnung", MK_FIELD_BIT(MK_FIELD_ATTACHMENT_TEXT), NULL, NULL, "4 5" },
    { "acontent:Rechnung", SUBJECT, NULL, NULL, "4 5" }, /* the prefix wins */
    { "-Rechnung", SUBJECT, NULL, NULL, "1 2 3 4 5 6 7 8" },
    { "customers", ADDRESSES, NULL, NULL, "8" },
    { "*", MK_FIELD_BIT(MK_FIELD_CC), NULL, NULL, "8" },
    { NULL, 0, "john", NULL, "8 9" },
    { NULL, 0, "mailkeep.example -lisa", NULL, "8 9" },
    { NULL, 0, "news@zdnet.example \"zdnet news\"", NULL, "1 2" },
    { NULL, 0, "lisa", NULL, "" },
    { NULL, 0, "subject:Rechnung", NULL, "9" }, /* here too */
    { NULL, 0, NULL, "lisa", "1 2 8" },
    { NULL, 0, NULL, "lisa customers", "8" }, /* each in any of the three */
    { NULL, 0, NULL, "lisa -customers", "1 2" },
    { "Rechnung", 0, "versand*", "company", "4 5" },
    { "Rechnung -subject:Mahnung", 0, "versand*", "company", "4" },
    /* Q21 for addresses given this way */
    { "-Bewerbung", 0, NULL, "bewerbung@example.com", "7" },
    { "-Bewerbung", 0, NULL, "to:bewerbung@example.com", "7" },
    { "-max", 0, "max@firma.example", NULL, "6 7" },
    { "-max", 0, "firma", NULL, "" },
    { "-max", 0, "*", NULL, "1 2 3 4 5 8 9" },
    { NULL, 0, "max -max", NULL, "" }, /* both ask for the sender */
};

static char *find_in_boxes(Sample *sample, size_t i)
{
    g_autoptr(MkQuery) words = boxes[i].words != NULL ? mk_query_parse(boxes[i].words, NULL) : NULL;
    g_autoptr(MkQuery) from = boxes[i].from != NULL ? mk_query_parse(boxes[i].from, NULL) : NULL;
    g_autoptr(MkQuery) recipients =
        boxes[i].recipients != NULL ? mk_query_parse(boxes[i].recipients, NULL) : NULL;
    MkSearch search = { .query = words,
                        .fields = boxes[i].fields,
                        .from = from,
                        .recipients = recipients,
                        .ascending = true,
                        .limit = 20 };
    g_autoptr(MkSearchResult) result = mk_index_search(sample->index, &search, NULL);
    GString *out = g_string_new(NULL);
    for (guint k = 0; k < result->hits->len; k++)
        g_string_append_printf(out, "%s%u", k > 0 ? " " : "",
                               ((const MkHit *) result->hits->pdata[k])->number);
    return g_string_free(out, FALSE);
}

static void test_boxes(void)
{
    Sample sample;
    sample_init(&sample);
    sample_fill(&sample, false);
    for (size_t i = 0; i < G_N_ELEMENTS(boxes); i++) {
        g_autofree char *found = find_in_boxes(&sample, i);
        if (strcmp(found, boxes[i].found) != 0)
            g_test_message("case %zu", i);
        g_assert_cmpstr(found, ==, boxes[i].found);
    }
    sample_clear(&sample);
}

/* -- groups ------------------------------------------------------------------------------------ */
/* "8(2 1) 7": rows with the other mails of their group. */
static char *find_rows(Sample *sample, MkSearch search)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkSearchResult) result = mk_index_search(sample->index, &search, &error);
    g_assert_no_error(error);
    GString *out = g_string_new(NULL);
    g_string_append_printf(out, "%u/%u:", (unsigned) result->total, (unsigned) result->mail_total);
    for (guint i = 0; i < result->hits->len; i++) {
        const MkHit *hit = result->hits->pdata[i];
        g_string_append_printf(out, " %u", hit->number);
        g_assert_cmpuint(hit->group_count, ==,
                         1 + (hit->group_numbers != NULL ? hit->group_numbers->len : 0));
        for (guint k = 0; hit->group_numbers != NULL && k < hit->group_numbers->len; k++)
            g_string_append_printf(out, "%s%u", k == 0 ? "(" : " ",
                                   g_array_index(hit->group_numbers, uint32_t, k));
        g_string_append(out, hit->group_numbers != NULL ? ")" : "");
    }
    return g_string_free(out, FALSE);
}

static void expect_rows(Sample *sample, MkSearch search, const char *rows)
{
    g_autofree char *found = find_rows(sample, search);
    g_assert_cmpstr(found, ==, rows);
}

/* Conversation 7 are the even mails, copies are 1 and 2, 3 and 4. */
static void test_groups(void)
{
    static const char *const subjects[] = { "Zebra", "alt", "Biene", "Esel", "alt", "Dachs" };
    Sample sample;
    sample_init(&sample);
    for (uint32_t i = 1; i <= 6; i++) { /* two segments */
        MkIndexWriter *writer = mk_index_writer_new(sample.index);
        const char *const values[] = { subjects[i - 1], NULL };
        MkIndexDoc doc = { .number = i,
                           .date_unix_ms = i * 1000,
                           .subject = subjects[i - 1],
                           .conversation = i % 2 == 0 ? 7 : 0,
                           .copy = i <= 4 ? 100 + (i - 1) / 2 : 0 };
        doc.values[MK_FIELD_SUBJECT] = values;
        mk_index_writer_add(writer, &doc);
        g_assert_true(mk_index_writer_commit(writer, i, NULL));
    }
    g_autoptr(MkQuery) alt = mk_query_parse("alt", NULL);
    MkSearch by_date = { .group = MK_GROUP_CONVERSATION, .limit = 10 };
    expect_rows(&sample, by_date, "4/6: 6(4 2) 5 3 1");
    by_date.ascending = true;
    expect_rows(&sample, by_date, "4/6: 1 2(4 6) 3 5");
    by_date.offset = 1;
    by_date.limit = 2;
    expect_rows(&sample, by_date, "4/6: 2(4 6) 3");
    by_date.limit = 0;
    expect_rows(&sample, by_date, "4/6:");
    by_date.offset = 4;
    by_date.limit = 2;
    expect_rows(&sample, by_date, "4/6:");

    MkSearch by_subject = {
        .group = MK_GROUP_COPIES, .sort = MK_SORT_SUBJECT, .ascending = true, .limit = 10
    };
    expect_rows(&sample, by_subject, "4/6: 5 2(1) 3(4) 6");
    by_subject.query = alt; /* only what matches is in a group */
    expect_rows(&sample, by_subject, "2/2: 5 2");
    MkSearch one = { .conversation = 7, .limit = 10 };
    expect_rows(&sample, one, "3/3: 6 4 2");
    sample_clear(&sample);
}

/* More mails in a group than are listed. */
static void test_large_group(void)
{
    Sample sample;
    sample_init(&sample);
    MkIndexWriter *writer = mk_index_writer_new(sample.index);
    for (uint32_t i = 1; i <= 3000; i++) {
        MkIndexDoc doc = { .number = i, .date_unix_ms = i, .conversation = 1 + i % 2 };
        mk_index_writer_add(writer, &doc);
    }
    g_assert_true(mk_index_writer_commit(writer, 1, NULL));
    MkSearch search = { .group = MK_GROUP_CONVERSATION, .limit = 1, .offset = 1 };
    g_autoptr(MkSearchResult) result = mk_index_search(sample.index, &search, NULL);
    const MkHit *hit = result->hits->pdata[0];
    g_assert_cmpuint(result->total, ==, 2);
    g_assert_cmpuint(result->mail_total, ==, 3000);
    g_assert_cmpuint(hit->number, ==, 2999);
    g_assert_cmpuint(hit->group_count, ==, 1500);
    g_assert_cmpuint(hit->group_numbers->len, ==, MK_LIMIT_GROUP_NUMBERS);
    g_assert_cmpuint(g_array_index(hit->group_numbers, uint32_t, MK_LIMIT_GROUP_NUMBERS - 1), ==,
                     2999 - 2 * MK_LIMIT_GROUP_NUMBERS);
    sample_clear(&sample);
}

/* An excluded word beside the demanded address, in the same header, still counts. */
static void test_demanded_address_only(void)
{
    static const SampleMail mails[] = {
        { .number = 1, .to = "Bewerbung Team <bewerbung@example.com>" },
        { .number = 2, .to = "bewerbung@example.com, bewerbung@example.org" },
        { .number = 3, .to = "x@y.example, bewerbung@example.com" },
        { .number = 4, .to = "bewerbung@example.com", .from = "bewerbung@z.example" },
    };
    Sample sample;
    sample_init(&sample);
    MkIndexWriter *writer = mk_index_writer_new(sample.index);
    for (size_t i = 0; i < G_N_ELEMENTS(mails); i++)
        sample_add(writer, &mails[i]);
    g_assert_true(mk_index_writer_commit(writer, 1, NULL));
    g_autofree char *found = sample_find(&sample, "to:bewerbung@example.com -bewerbung", true);
    g_assert_cmpstr(found, ==, "3");
    sample_clear(&sample);
}

static void test_wildcard_limit(void)
{
    Sample sample;
    GString *body = g_string_new(NULL);
    sample_init(&sample);
    MkIndexWriter *writer = mk_index_writer_new(sample.index);
    for (unsigned i = 0; i <= MK_LIMIT_WILDCARD_TERMS; i++)
        g_string_append_printf(body, "a%uz ", i);
    SampleMail mail = { .number = 1, .body = body->str };
    sample_add(writer, &mail);
    g_assert_true(mk_index_writer_commit(writer, 1, NULL));

    static const char *const many[] = { "a*", "*z", "*a*", "a*z", "bcontent:a*" };
    for (size_t i = 0; i < G_N_ELEMENTS(many); i++) {
        g_autofree char *found = sample_find(&sample, many[i], false);
        g_assert_cmpstr(found, ==, "LIMIT");
    }
    g_autofree char *less = sample_find(&sample, "a1*", false);
    g_autofree char *less_end = sample_find(&sample, "*1z", false);
    g_autofree char *other = sample_find(&sample, "subject:a*", false);
    g_assert_cmpstr(less, ==, "1");
    g_assert_cmpstr(less_end, ==, "1");
    g_assert_cmpstr(other, ==, "");
    g_string_free(body, TRUE);
    sample_clear(&sample);
}

static void test_cancelled(void)
{
    Sample sample;
    int cancelled = 1;
    g_autoptr(GError) error = NULL;
    sample_init(&sample);
    sample_fill(&sample, false);
    MkSearch search = { .limit = 10, .cancelled = &cancelled };
    g_assert_null(mk_index_search(sample.index, &search, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_CANCELLED);
    sample_clear(&sample);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/index/search/one-segment", test_one_segment);
    g_test_add_func("/index/search/many-segments", test_many_segments);
    g_test_add_func("/index/search/folding-and-envelope", test_folding_and_envelope);
    g_test_add_func("/index/search/value-borders", test_value_borders);
    g_test_add_func("/index/search/demanded-address-only", test_demanded_address_only);
    g_test_add_func("/index/search/wildcard-limit", test_wildcard_limit);
    g_test_add_func("/index/search/cancelled", test_cancelled);
    g_test_add_func("/index/search/boxes", test_boxes);
    g_test_add_func("/index/search/groups", test_groups);
    g_test_add_func("/index/search/large-group", test_large_group);
    return g_test_run();
}
