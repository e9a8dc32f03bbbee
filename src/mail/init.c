/*
 * init.c - GMime, once
 */
#include <mailkeep/mail.h>

#include <pthread.h>

#include <gmime/gmime.h>

#include "internal.h"

static GMimeParserOptions *options;

static void init_once(void)
{
    static const char *fallbacks[] = { "utf-8", "windows-1252", NULL };

    g_mime_init();
    options = g_mime_parser_options_new();
    g_mime_parser_options_set_fallback_charsets(options, fallbacks);
    g_mime_parser_options_set_allow_addresses_without_domain(options, TRUE);
}

void mk_mail_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, init_once);
}

GMimeParserOptions *mk_mail_options(void)
{
    g_assert(options); /* mk_mail_init() was not called */
    return options;
}
