/*
 * grammar.c - one SMTP command line taken apart (RFC 5321 §4.1.1, §4.1.2)
 *
 * Lenient where senders in the field are sloppy and nothing is lost by it: blanks behind "FROM:"
 * and at the line's end, local parts with odd dots, underscores in domains. Strict where a second
 * meaning could hide: control characters, unclosed quotes, unknown or doubled parameters.
 */
#include <mailkeep/smtp.h>

#include <string.h>

#include <mailkeep/limits.h>

#include "internal.h"

#define BAD_OCTET "500 5.5.2 Control characters are not allowed in a command"
#define BAD_ARGUMENT "501 5.5.4 This command is written in another way, see RFC 5321"
#define NO_ARGUMENT "501 5.5.4 This command takes no argument"
#define BAD_SENDER "501 5.1.7 Write MAIL FROM:<address>"
#define BAD_RECIPIENT "501 5.1.3 Write RCPT TO:<address>"
#define BAD_PARAMETER "501 5.5.4 A parameter's value is not understood"
#define UNKNOWN_PARAMETER "555 5.5.4 Unknown parameter"
#define NEEDS_SMTPUTF8 "553 5.6.7 Addresses beyond ASCII need SMTPUTF8 and must be UTF-8"

typedef const char *(*ParseFunc)(const char *args, MkSmtpCommand *out); /* NULL = well */

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " ");
}

static bool is_end(const char *text)
{
    return *skip_blanks(text) == '\0';
}

/*
 * Path          = "<" [ A-d-l ":" ] Mailbox ">"     ; or "<>" in MAIL
 * A-d-l         = At-domain *( "," At-domain )      ; a source route: dropped (§4.1.1.3, app. C)
 * Mailbox       = Local-part "@" ( Domain / address-literal )
 * Local-part    = Dot-string / Quoted-string
 *
 * Local-part and Domain may hold any visible octets here; whether such a mailbox exists is for
 * others to know. A mailbox without a domain is taken too: RCPT TO:<Postmaster> is lawful.
 */
static bool skip_route(const char **text)
{
    const char *end;

    if (**text != '@')
        return true;
    end = *text + strcspn(*text, ":> ");
    if (*end != ':')
        return false;
    *text = end + 1;
    return true;
}

/* Up to the '>' that is not quoted; NULL when it is not well-formed. */
static const char *mailbox_end(const char *text)
{
    const char *start = text, *at = NULL;
    bool quoted = false;

    for (; *text != '\0' && (quoted || *text != '>'); text++) {
        if (*text == '"') {
            if (at != NULL)
                return NULL;
            quoted = !quoted;
        } else if (*text == '\\' && at == NULL) {
            if (*++text == '\0')
                return NULL;
        } else if (!quoted && *text == '@') {
            if (at != NULL || text == start)
                return NULL;
            at = text;
        } else if (!quoted && (*text == ' ' || *text == '<')) {
            return NULL;
        }
    }
    if (*text != '>' || text == start || (at != NULL && at + 1 == text))
        return NULL;
    return text;
}

static bool parse_path(const char **text, char **out_path)
{
    const char *start = skip_blanks(*text), *end, *mailbox;

    if (*start != '<')
        return false;
    mailbox = start + 1;
    if (*mailbox == '>') {
        *out_path = g_strdup("");
        *text = mailbox + 1;
        return true;
    }
    if (!skip_route(&mailbox))
        return false;
    end = mailbox_end(mailbox);
    if (end == NULL || end + 1 - mailbox > MK_LIMIT_SMTP_PATH_BYTES - 1)
        return false;
    *out_path = g_strndup(mailbox, (size_t) (end - mailbox));
    *text = end + 1;
    return true;
}

/* 1*20DIGIT (RFC 1870, RFC 3030); what does not fit counts as the largest number. */
static bool parse_size(const char *text, size_t length, uint64_t *out)
{
    uint64_t size = 0;

    if (length == 0 || length > 20)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!g_ascii_isdigit(text[i]))
            return false;
        /* Once too large, ten times that is too large again: no octet wraps it back. */
        if (__builtin_mul_overflow(size, 10u, &size) ||
            __builtin_add_overflow(size, (uint64_t) (text[i] - '0'), &size))
            size = UINT64_MAX;
    }
    *out = size;
    return true;
}

static bool word_is(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && g_ascii_strncasecmp(text, word, length) == 0;
}

/*
 * esmtp-param   = esmtp-keyword [ "=" esmtp-value ]
 *
 * SIZE=n (RFC 1870), BODY=7BIT / 8BITMIME / BINARYMIME (RFC 6152, 3030), SMTPUTF8 (RFC 6531).
 */
static const char *parse_mail_parameter(const char *text, size_t length, MkSmtpCommand *out)
{
    const char *equals = memchr(text, '=', length);
    size_t name_length = equals != NULL ? (size_t) (equals - text) : length;
    const char *value = equals != NULL ? equals + 1 : text + length;
    size_t value_length = (size_t) (text + length - value);

    if (word_is(text, name_length, "SIZE")) {
        if (out->has_size || !parse_size(value, value_length, &out->size_bytes))
            return BAD_PARAMETER;
        out->has_size = true;
        return NULL;
    }
    if (word_is(text, name_length, "BODY")) {
        out->body_8bit =
            word_is(value, value_length, "8BITMIME") || word_is(value, value_length, "BINARYMIME");
        return out->body_8bit || word_is(value, value_length, "7BIT") ? NULL : BAD_PARAMETER;
    }
    if (word_is(text, name_length, "SMTPUTF8")) {
        out->smtputf8 = true;
        return equals == NULL ? NULL : BAD_PARAMETER;
    }
    return UNKNOWN_PARAMETER;
}

static const char *parse_mail_parameters(const char *text, MkSmtpCommand *out)
{
    while (!is_end(text)) {
        const char *reply, *start = skip_blanks(text);

        if (start == text)
            return BAD_SENDER; /* something stands right behind the '>' */
        text = start + strcspn(start, " ");
        reply = parse_mail_parameter(start, (size_t) (text - start), out);
        if (reply != NULL)
            return reply;
    }
    return NULL;
}

/* Skips "FROM:" or "TO:". */
static bool skip_word(const char **text, const char *word)
{
    size_t length = strlen(word);

    if (g_ascii_strncasecmp(*text, word, length) != 0)
        return false;
    *text += length;
    return true;
}

static const char *parse_mail(const char *args, MkSmtpCommand *out)
{
    const char *reply;

    if (!skip_word(&args, "FROM:") || !parse_path(&args, &out->path))
        return BAD_SENDER;
    reply = parse_mail_parameters(args, out);
    if (reply != NULL)
        return reply;
    if (!g_utf8_validate(out->path, -1, NULL))
        return NEEDS_SMTPUTF8;
    return out->smtputf8 || g_str_is_ascii(out->path) ? NULL : NEEDS_SMTPUTF8;
}

/* Whether SMTPUTF8 was said stands in the transaction: the server looks there. */
static const char *parse_rcpt(const char *args, MkSmtpCommand *out)
{
    if (!skip_word(&args, "TO:") || !parse_path(&args, &out->path) || *out->path == '\0')
        return BAD_RECIPIENT;
    if (*args != '\0' && *args != ' ')
        return BAD_RECIPIENT;
    if (!is_end(args))
        return UNKNOWN_PARAMETER;
    return g_utf8_validate(out->path, -1, NULL) ? NULL : NEEDS_SMTPUTF8;
}

/* "BDAT" SP chunk-size [ SP "LAST" ] (RFC 3030 §2) */
static const char *parse_bdat(const char *args, MkSmtpCommand *out)
{
    size_t length = strcspn(args, " ");
    const char *last = skip_blanks(args + length);

    if (!parse_size(args, length, &out->size_bytes))
        return BAD_ARGUMENT;
    out->has_size = true;
    out->last = *last != '\0';
    if (out->last && (!skip_word(&last, "LAST") || !is_end(last)))
        return BAD_ARGUMENT;
    return NULL;
}

/* A name is needed, but machines call themselves anything, Latin-1 included: it is only noted. */
static const char *parse_hello(const char *args, MkSmtpCommand *out)
{
    (void) args;
    return *out->argument != '\0' ? NULL : BAD_ARGUMENT;
}

static const char *parse_nothing(const char *args, MkSmtpCommand *out)
{
    (void) out;
    return *args == '\0' ? NULL : NO_ARGUMENT;
}

static const struct {
    const char *word;
    MkSmtpVerb verb;
    ParseFunc parse; /* NULL = any argument */
} verbs[] = {
    { "EHLO", MK_SMTP_EHLO, parse_hello },
    { "HELO", MK_SMTP_HELO, parse_hello },
    { "MAIL", MK_SMTP_MAIL, parse_mail },
    { "RCPT", MK_SMTP_RCPT, parse_rcpt },
    { "DATA", MK_SMTP_DATA, parse_nothing },
    { "BDAT", MK_SMTP_BDAT, parse_bdat },
    { "RSET", MK_SMTP_RSET, parse_nothing },
    { "NOOP", MK_SMTP_NOOP, NULL },
    { "VRFY", MK_SMTP_VRFY, parse_hello },
    { "EXPN", MK_SMTP_EXPN, NULL },
    { "HELP", MK_SMTP_HELP, NULL },
    { "QUIT", MK_SMTP_QUIT, parse_nothing },
    { "STARTTLS", MK_SMTP_STARTTLS, parse_nothing },
    { "AUTH", MK_SMTP_AUTH, NULL },
};

static bool has_control(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((uint8_t) line[i] < 0x20 || line[i] == 0x7f)
            return true;
    return false;
}

static const char *parse_known(const char *line, size_t length, MkSmtpCommand *out)
{
    const char *blank = memchr(line, ' ', length);
    size_t word_length = blank != NULL ? (size_t) (blank - line) : length;
    g_autofree char *args = g_strndup(line + word_length, length - word_length);

    g_strstrip(args);
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
        if (!word_is(line, word_length, verbs[i].word))
            continue;
        out->verb = verbs[i].verb;
        out->argument = g_utf8_make_valid(args, -1);
        return verbs[i].parse != NULL ? verbs[i].parse(args, out) : NULL;
    }
    return NULL; /* MK_SMTP_UNKNOWN */
}

bool mk_smtp_command_parse(const char *line, size_t length, MkSmtpCommand *out,
                           const char **out_reply)
{
    const char *reply;
    MkSmtpVerb verb;

    *out = (MkSmtpCommand){ .verb = MK_SMTP_UNKNOWN };
    reply = has_control(line, length) ? BAD_OCTET : parse_known(line, length, out);
    if (reply == NULL)
        return true;
    verb = out->verb;
    mk_smtp_command_clear(out);
    out->verb = verb; /* so that a server can tell a BDAT whose chunk it cannot skip */
    *out_reply = reply;
    return false;
}

void mk_smtp_command_clear(MkSmtpCommand *command)
{
    g_clear_pointer(&command->path, g_free);
    g_clear_pointer(&command->argument, g_free);
    *command = (MkSmtpCommand){ .verb = MK_SMTP_UNKNOWN };
}
