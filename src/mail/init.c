/*
 * init.c - GMime, once
 */
#include <mailkeep/mail.h>

#include <gmime/gmime.h>

#include "internal.h"

static GMimeParserOptions *options;

void mk_mail_init(void)
{
    static const char *fallbacks[] = { "utf-8", "windows-1252", NULL };
    static gsize done;

    if (!g_once_init_enter(&done))
        return;
    g_mime_init();
    options = g_mime_parser_options_new();
    g_mime_parser_options_set_fallback_charsets(options, fallbacks);
    g_mime_parser_options_set_allow_addresses_without_domain(options, TRUE);
    g_once_init_leave(&done, 1);
}

GMimeParserOptions *mk_mail_options(void)
{
    g_assert(options); /* mk_mail_init() was not called */
    return options;
}
