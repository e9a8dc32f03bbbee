/*
 * extract_text.c - the text of files, as the daemon would get it
 *
 *   extract_text [--ocr] [--quiet] HELPER FILE...
 *
 * Prints for each file "== FILE: KIND RESULT WHY OCTETS", then its text unless told to be quiet.
 */
#include <mailkeep/text.h>

#include <stdio.h>
#include <string.h>

#include <mailkeep/limits.h>

static void print_file(MkExtractor *extractor, const char *path, bool quiet)
{
    g_autofree char *data = NULL, *name = g_path_get_basename(path);
    g_auto(MkExtracted) out = { .text = NULL };
    const MkDocumentType *type;
    MkDocumentKind kind;
    gsize length;

    if (!g_file_get_contents(path, &data, &length, NULL)) {
        printf("== %s: unreadable\n", path);
        return;
    }
    kind = mk_document_kind(NULL, name, (const uint8_t *) data, length);
    type = mk_document_type(kind);
    mk_extractor_read(extractor, kind, name, (const uint8_t *) data, length, &out);
    printf("== %s: %s %s %s %zu\n", path, type ? type->name : "unknown",
           mk_text_result_name(out.result), out.why ? out.why : "-", out.text->len);
    if (!quiet) {
        fwrite(out.text->str, 1, out.text->len, stdout);
        putchar('\n');
    }
}

int main(int argc, char **argv)
{
    MkExtractorOptions options = MK_EXTRACTOR_OPTIONS_INIT;
    g_autoptr(MkExtractor) extractor = NULL;
    bool quiet = false;
    int i;

    for (i = 1; i < argc && g_str_has_prefix(argv[i], "--"); i++) {
        options.ocr = options.ocr || strcmp(argv[i], "--ocr") == 0;
        quiet = quiet || strcmp(argv[i], "--quiet") == 0;
    }
    if (argc - i < 2) {
        fprintf(stderr, "usage: extract_text [--ocr] [--quiet] HELPER FILE...\n");
        return 2;
    }
    options.program = argv[i];
    extractor = mk_extractor_new(&options);
    for (i++; i < argc; i++)
        print_file(extractor, argv[i], quiet);
    return 0;
}
