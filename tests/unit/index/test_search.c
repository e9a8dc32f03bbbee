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
    return g_test_run();
}
