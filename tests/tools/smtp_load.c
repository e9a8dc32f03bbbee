/*
 * smtp_load.c - sends mails as fast as a server takes them, and tells how fast that was
 *
 *   smtp_load [OPTION...] HOST PORT FILE...
 *     --format=eml|mbox|smtp  one mail a file (default), mboxrd, or batch SMTP
 *     -c, --connections=N     at a time, default 1; each keeps one mail in flight
 *     -n, --mails=M           in all, default each once; more than there are: from the start again
 *     --session-mails=K       then QUIT and connect anew; 0 = never, the default
 *     --first=N               leave out so many in front
 *     --to=ADDRESS            recipient; default: the recipients of the batch file
 *     --spread=K              a % in the recipient becomes the mail's number modulo K
 *     --from=ADDRESS          reverse-path; default: that of the batch file, or <>
 *     --journal               each as an Exchange journal report of its envelope
 *     --unique                with a header field of its own, so that no two mails are the same
 *     --starttls              before the first mail of a session; no certificate is checked
 *     --lmtp                  LHLO, and one reply a recipient (RFC 2033)
 *     --acked=FILE            the number of each mail that got 250, as soon as it has
 *
 * Prints key=value, one a line. A mail's latency is from its MAIL to its last reply. The exit
 * status is 0 when every mail got 250, 1 when not, 2 when nothing could be sent at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <glib.h>

#include "load_tls.h"

static struct {
    char *format, *to, *from, *acked;
    gint connections, mails, session_mails, first, spread;
    gboolean journal, unique, lmtp, starttls;
} options = { .connections = 1, .spread = 1 };

typedef struct {
    const char *octets; /* as on the wire, but for the last dot */
    size_t length;
    char *from;
    GPtrArray *to; /* char * */
} Mail;

typedef enum { GREETING, HELLO, ENVELOPE, BODY, QUITTING, GONE } State;

typedef struct {
    int fd;
    LoadTls *tls; /* NULL: in clear */
    State state;
    unsigned replies; /* that must come before the state changes */
    unsigned refused; /* of these */
    bool go_ahead;    /* 354 came */
    bool must_reset;
    unsigned sent; /* mails of this session */
    unsigned number;
    gint64 started_us;
    const Mail *mail;
    GString *in, *before, *behind; /* before and behind the mail's own octets */
    const char *body;
    size_t body_length, done; /* octets of all three that are sent */
} Connection;

static GPtrArray *mails;
static unsigned next_number, acked, failed, open_count;
static guint64 octets;
static GArray *latencies_us;
static struct addrinfo *address;
static int poll_fd;
static FILE *acked_file;

/* -- mails ---------------------------------------------------------------------------------- */
static Mail *mail_new(const char *from)
{
    Mail *mail = g_new0(Mail, 1);

    mail->from = g_strdup(from);
    mail->to = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(mails, mail);
    return mail;
}

/* Lines end with CRLF and dots are stuffed; in mboxrd one '>' is taken off. */
static void add_text(const char *text, size_t length, bool is_mbox)
{
    GString *out = g_string_sized_new(length + length / 32 + 2);
    Mail *mail = mail_new("");

    while (length > 0) {
        const char *end = memchr(text, '\n', length);
        size_t line = end != NULL ? (size_t) (end - text) : length;
        size_t used = end != NULL ? line + 1 : line;
        size_t quotes = strspn(text, ">");

        if (is_mbox && quotes > 0 && quotes < line && g_str_has_prefix(text + quotes, "From ")) {
            text++, line--, used--, length--;
        }
        if (line > 0 && text[line - 1] == '\r')
            line--;
        if (line > 0 && *text == '.')
            g_string_append_c(out, '.');
        g_string_append_len(out, text, (gssize) line);
        g_string_append(out, "\r\n");
        text += used;
        length -= used;
    }
    mail->length = out->len;
    mail->octets = g_string_free(out, FALSE);
}

static void add_mbox(const char *text, size_t length)
{
    const char *end = text + length, *start = NULL, *line = text;

    while (line < end) {
        const char *next = memchr(line, '\n', (size_t) (end - line));

        next = next != NULL ? next + 1 : end;
        if (end - line >= 5 && memcmp(line, "From ", 5) == 0) {
            if (start != NULL)
                add_text(start, (size_t) (line - start), true);
            start = next;
        }
        line = next;
    }
    if (start != NULL)
        add_text(start, (size_t) (end - start), true);
}

static char *between_angles(const char *line, const char *end)
{
    const char *from = memchr(line, '<', (size_t) (end - line));
    const char *to = from != NULL ? memchr(from, '>', (size_t) (end - from)) : NULL;

    return to != NULL ? g_strndup(from + 1, (size_t) (to - from - 1)) : g_strdup("");
}

/* The client's side of a session: the octets of DATA are used where they lie. */
static void add_batch(const char *text, size_t length)
{
    const char *end = text + length;
    Mail *mail = NULL;

    while (text < end) {
        const char *next = memmem(text, (size_t) (end - text), "\r\n", 2);

        next = next != NULL ? next + 2 : end;
        if (g_ascii_strncasecmp(text, "MAIL FROM:", 10) == 0) {
            mail = mail_new(NULL);
            mail->from = between_angles(text, next);
        } else if (g_ascii_strncasecmp(text, "RCPT TO:", 8) == 0 && mail != NULL) {
            g_ptr_array_add(mail->to, between_angles(text, next));
        } else if (g_ascii_strncasecmp(text, "DATA", 4) == 0 && mail != NULL) {
            const char *dot = memmem(next - 2, (size_t) (end - next) + 2, "\r\n.\r\n", 5);

            if (dot == NULL)
                g_error("the batch ends within a mail");
            mail->octets = next;
            mail->length = (size_t) (dot + 2 - next);
            next = dot + 5;
        }
        text = next;
    }
}

static void load(const char *path)
{
    g_autoptr(GError) error = NULL;
    GMappedFile *file = g_mapped_file_new(path, FALSE, &error);
    const char *text;
    size_t length;

    if (file == NULL)
        g_error("%s", error->message);
    text = g_mapped_file_get_contents(file);
    length = g_mapped_file_get_length(file);
    if (g_strcmp0(options.format, "mbox") == 0)
        add_mbox(text, length);
    else if (g_strcmp0(options.format, "smtp") == 0)
        add_batch(text, length); /* stays mapped */
    else
        add_text(text != NULL ? text : "", length, false);
}

/* -- what is put around a mail ------------------------------------------------------------------ */
static char *header_field(const Mail *mail, const char *name)
{
    size_t name_length = strlen(name);
    const char *line = mail->octets, *end = mail->octets + mail->length;

    while (line < end && *line != '\r') {
        const char *next = memmem(line, (size_t) (end - line), "\r\n", 2);

        if (next == NULL)
            break;
        if ((size_t) (next - line) > name_length &&
            g_ascii_strncasecmp(line, name, name_length) == 0)
            return g_strndup(line + name_length, (size_t) (next - line) - name_length);
        line = next + 2;
    }
    return g_strdup(" none");
}

static void wrap_journal(Connection *c)
{
    g_autofree char *subject = header_field(c->mail, "Subject:");
    g_autofree char *id = header_field(c->mail, "Message-ID:");
    g_autofree char *boundary = g_strdup_printf("_load-%u-%u_", (unsigned) getpid(), c->number);

    g_string_append_printf(
        c->before,
        "From: <%s>\r\nTo: <%s>\r\nSubject:%s\r\nMessage-ID: <%s@journal.report.generator>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"%s\"\r\n"
        "X-MS-Journal-Report:\r\n\r\n--%s\r\nContent-Type: text/plain; charset=\"us-ascii\"\r\n"
        "Content-Transfer-Encoding: 7bit\r\n\r\nSender: %s\r\nSubject:%s\r\nMessage-Id:%s\r\n",
        c->mail->from, options.to != NULL ? options.to : "journal", subject, boundary, boundary,
        boundary, c->mail->from, subject, id);
    for (guint i = 0; i < c->mail->to->len; i++)
        g_string_append_printf(c->before, "Recipient: %s\r\n", (char *) c->mail->to->pdata[i]);
    g_string_append_printf(c->before, "\r\n--%s\r\nContent-Type: message/rfc822\r\n\r\n", boundary);
    g_string_append_printf(c->behind, "\r\n--%s--\r\n", boundary);
}

/* -- sending -------------------------------------------------------------------------------- */
static void connection_end(Connection *c, const char *why)
{
    if (why != NULL) {
        fprintf(stderr, "smtp_load: mail %u: %s\n", c->number, why);
        if (c->state == ENVELOPE || c->state == BODY)
            failed++;
    }
    c->state = GONE;
    load_tls_free(g_steal_pointer(&c->tls));
    close(c->fd);
    open_count--;
}

static void watch(Connection *c, int operation, bool to_write)
{
    struct epoll_event event = { .events = EPOLLIN | (to_write ? EPOLLOUT : 0), .data.ptr = c };

    epoll_ctl(poll_fd, operation, c->fd, &event);
}

static unsigned parts_left(Connection *c, struct iovec parts[3])
{
    const struct iovec all[3] = { { c->before->str, c->before->len },
                                  { (char *) c->body, c->body_length },
                                  { c->behind->str, c->behind->len } };
    size_t skip = c->done;
    unsigned count = 0;

    for (unsigned i = 0; i < 3; i++) {
        size_t here = MIN(skip, all[i].iov_len);

        skip -= here;
        if (all[i].iov_len > here)
            parts[count++] =
                (struct iovec){ (char *) all[i].iov_base + here, all[i].iov_len - here };
    }
    return count;
}

static void flush(Connection *c)
{
    struct iovec parts[3];
    unsigned count;

    while ((count = parts_left(c, parts)) > 0) {
        ssize_t sent = c->tls != NULL ? load_tls_write(c->tls, parts[0].iov_base, parts[0].iov_len)
                                      : writev(c->fd, parts, (int) count);

        if (sent < 0 && errno == EAGAIN) {
            watch(c, EPOLL_CTL_MOD, true);
            return;
        }
        if (sent < 0) {
            connection_end(c, g_strerror(errno));
            return;
        }
        c->done += (size_t) sent;
    }
    watch(c, EPOLL_CTL_MOD, false);
}

static void begin_send(Connection *c, State state, unsigned replies)
{
    c->state = state;
    c->replies = replies;
    c->refused = 0;
    c->go_ahead = false;
    g_string_truncate(c->before, 0);
    g_string_truncate(c->behind, 0);
    c->body = NULL;
    c->body_length = c->done = 0;
}

static void send_quit(Connection *c)
{
    begin_send(c, QUITTING, 1);
    g_string_append(c->before, "QUIT\r\n");
}

static unsigned recipient_count(const Mail *mail)
{
    return options.to != NULL ? 1 : mail->to->len;
}

static void add_recipient(Connection *c)
{
    g_auto(GStrv) around = g_strsplit(options.to, "%", 2);

    if (around[1] == NULL)
        g_string_append_printf(c->before, "RCPT TO:<%s>\r\n", options.to);
    else
        g_string_append_printf(c->before, "RCPT TO:<%s%u%s>\r\n", around[0],
                               c->number % (unsigned) MAX(options.spread, 1), around[1]);
}

static void send_envelope(Connection *c)
{
    const char *from;

    c->number = next_number++;
    c->mail = mails->pdata[(c->number + (unsigned) options.first) % mails->len];
    c->sent++;
    begin_send(c, ENVELOPE, 2 + recipient_count(c->mail) + (c->must_reset ? 1 : 0));
    c->started_us = g_get_monotonic_time();
    if (c->must_reset)
        g_string_append(c->before, "RSET\r\n");
    c->must_reset = false;
    from = options.from != NULL ? options.from : c->mail->from;
    g_string_append_printf(c->before, "MAIL FROM:<%s>\r\n", from);
    if (options.to != NULL)
        add_recipient(c);
    else
        for (guint i = 0; i < c->mail->to->len; i++)
            g_string_append_printf(c->before, "RCPT TO:<%s>\r\n", (char *) c->mail->to->pdata[i]);
    g_string_append(c->before, "DATA\r\n");
}

static void send_body(Connection *c)
{
    begin_send(c, BODY, options.lmtp ? recipient_count(c->mail) : 1);
    if (options.journal)
        wrap_journal(c);
    if (options.unique)
        g_string_append_printf(c->before, "X-Load: %u-%u\r\n", (unsigned) getpid(), c->number);
    c->body = c->mail->octets;
    c->body_length = c->mail->length;
    g_string_append(c->behind, ".\r\n");
    octets += c->before->len + c->body_length + c->behind->len - 3;
}

/* -- replies -------------------------------------------------------------------------------- */
static void mail_over(Connection *c)
{
    gint64 took_us = g_get_monotonic_time() - c->started_us;

    if (c->refused > 0) {
        failed++;
        c->must_reset = true;
        return;
    }
    acked++;
    g_array_append_val(latencies_us, took_us);
    if (acked_file != NULL) {
        fprintf(acked_file, "%u\n", c->number);
        fflush(acked_file);
    }
}

static void send_next(Connection *c)
{
    if (next_number >= (unsigned) options.mails ||
        (options.session_mails > 0 && c->sent >= (unsigned) options.session_mails))
        send_quit(c);
    else
        send_envelope(c);
}

static void connection_open(Connection *c);

static const char *hello(void)
{
    return options.lmtp ? "LHLO load.example\r\n" : "EHLO load.example\r\n";
}

static void on_replies(Connection *c)
{
    switch (c->state) {
    case GREETING:
        begin_send(c, HELLO, 1);
        g_string_append(c->before, hello());
        break;
    case ENVELOPE:
        if (c->go_ahead) {
            send_body(c);
            break;
        }
        mail_over(c);
        send_next(c);
        break;
    case BODY:
        mail_over(c);
        send_next(c);
        break;
    case HELLO: send_next(c); break;
    case QUITTING:
        connection_end(c, NULL);
        if (next_number < (unsigned) options.mails)
            connection_open(c);
        return;
    case GONE: return;
    }
    flush(c);
}

static void on_line(Connection *c, const char *line, size_t length)
{
    if (length < 4 || line[3] == '-')
        return;
    if (line[0] >= '4') {
        if (c->refused++ == 0)
            fprintf(stderr, "smtp_load: mail %u: %.*s\n", c->number, (int) MIN(length, 200), line);
    } else if (line[0] == '3') {
        c->go_ahead = true;
    }
    if (c->replies > 0 && --c->replies == 0)
        on_replies(c);
}

/* False when there is nothing (more). */
static bool receive(Connection *c)
{
    char data[4096];
    ssize_t length =
        c->tls != NULL ? load_tls_read(c->tls, data, sizeof data) : read(c->fd, data, sizeof data);

    if (length > 0)
        g_string_append_len(c->in, data, length);
    else if (length == 0 || errno != EAGAIN)
        connection_end(c, length == 0 ? "the server has closed" : g_strerror(errno));
    return length > 0;
}

static void on_readable(Connection *c)
{
    size_t at = 0;

    if (!receive(c))
        return;
    for (;;) {
        char *end = memmem(c->in->str + at, c->in->len - at, "\r\n", 2);
        size_t start = at;

        if (end == NULL || c->state == GONE)
            break;
        at = (size_t) (end + 2 - c->in->str);
        on_line(c, c->in->str + start, (size_t) (end - c->in->str) - start);
        if (c->sent == 0 && c->in->len == 0)
            return; /* connected anew */
    }
    g_string_erase(c->in, 0, (gssize) MIN(at, c->in->len));
}

/* -- connections ---------------------------------------------------------------------------- */
static void connection_open(Connection *c)
{
    int one = 1;

    c->fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, address->ai_addr, address->ai_addrlen) != 0) {
        fprintf(stderr, "smtp_load: connect: %s\n", g_strerror(errno));
        exit(2);
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (options.starttls)
        c->tls = load_tls_start(c->fd, hello());
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    if (c->in == NULL) {
        c->in = g_string_new(NULL);
        c->before = g_string_new(NULL);
        c->behind = g_string_new(NULL);
    }
    g_string_truncate(c->in, 0);
    c->sent = 0;
    c->must_reset = false;
    begin_send(c, GREETING, 1);
    watch(c, EPOLL_CTL_ADD, false);
    open_count++;
    if (options.starttls) /* its greeting has come already */
        on_replies(c);
}

static void run(void)
{
    while (open_count > 0) {
        struct epoll_event events[64];
        int count = epoll_wait(poll_fd, events, G_N_ELEMENTS(events), 120000);

        if (count == 0)
            g_error("no answer for two minutes");
        for (int i = 0; i < count; i++) {
            Connection *c = events[i].data.ptr;

            if (c->state != GONE && (events[i].events & EPOLLOUT))
                flush(c);
            if (c->state != GONE && (events[i].events & ~(uint32_t) EPOLLOUT))
                on_readable(c);
        }
    }
}

/* -- the report ----------------------------------------------------------------------------- */
static gint compare(gconstpointer a, gconstpointer b)
{
    gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

    return (x > y) - (x < y);
}

static double percentile_ms(unsigned percent)
{
    guint at = latencies_us->len * percent / 100;

    if (latencies_us->len == 0)
        return 0;
    return g_array_index(latencies_us, gint64, MIN(at, latencies_us->len - 1)) / 1e3;
}

static void report(double seconds)
{
    g_array_sort(latencies_us, compare);
    printf("mails=%d\nacked=%u\nfailed=%u\nconnections=%d\nseconds=%.3f\n", options.mails, acked,
           failed, options.connections, seconds);
    printf("acks_per_second=%.1f\noctets=%" G_GUINT64_FORMAT "\nmegabytes_per_second=%.2f\n",
           acked / seconds, octets, (double) octets / seconds / 1e6);
    printf("latency_ms_p50=%.2f\nlatency_ms_p95=%.2f\nlatency_ms_p99=%.2f\nlatency_ms_max=%.2f\n",
           percentile_ms(50), percentile_ms(95), percentile_ms(99), percentile_ms(100));
}

static void parse_options(int *argc, char ***argv)
{
    const GOptionEntry entries[] = {
        { "format", 0, 0, G_OPTION_ARG_STRING, &options.format, "eml, mbox or smtp", "FORMAT" },
        { "connections", 'c', 0, G_OPTION_ARG_INT, &options.connections, "at a time", "N" },
        { "mails", 'n', 0, G_OPTION_ARG_INT, &options.mails, "in all", "M" },
        { "session-mails", 0, 0, G_OPTION_ARG_INT, &options.session_mails, "a session", "K" },
        { "first", 0, 0, G_OPTION_ARG_INT, &options.first, "leave out in front", "N" },
        { "spread", 0, 0, G_OPTION_ARG_INT, &options.spread, "numbers for % in --to", "K" },
        { "starttls", 0, 0, G_OPTION_ARG_NONE, &options.starttls, "in TLS", NULL },
        { "to", 0, 0, G_OPTION_ARG_STRING, &options.to, "recipient", "ADDRESS" },
        { "from", 0, 0, G_OPTION_ARG_STRING, &options.from, "reverse-path", "ADDRESS" },
        { "journal", 0, 0, G_OPTION_ARG_NONE, &options.journal, "as journal reports", NULL },
        { "unique", 0, 0, G_OPTION_ARG_NONE, &options.unique, "no two are the same", NULL },
        { "lmtp", 0, 0, G_OPTION_ARG_NONE, &options.lmtp, "LHLO", NULL },
        { "acked", 0, 0, G_OPTION_ARG_FILENAME, &options.acked, "numbers that got 250", "FILE" },
        { 0 },
    };
    g_autoptr(GOptionContext) context = g_option_context_new("HOST PORT FILE...");
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, &error) || *argc < 4) {
        fprintf(stderr, "smtp_load: %s\n", error != NULL ? error->message : "HOST PORT FILE...");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    Connection *connections;
    gint64 started_us;

    parse_options(&argc, &argv);
    mails = g_ptr_array_new();
    latencies_us = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (int i = 3; i < argc; i++)
        load(argv[i]);
    if (mails->len == 0 || getaddrinfo(argv[1], argv[2], &hints, &address) != 0) {
        fprintf(stderr, "smtp_load: no mails, or no such host\n");
        return 2;
    }
    if (options.acked != NULL && (acked_file = fopen(options.acked, "w")) == NULL)
        g_error("%s: %s", options.acked, g_strerror(errno));
    if (options.mails == 0)
        options.mails = (gint) mails->len;
    options.connections = CLAMP(options.connections, 1, options.mails);
    connections = g_new0(Connection, (gsize) options.connections);
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    signal(SIGPIPE, SIG_IGN);
    started_us = g_get_monotonic_time();
    for (gint i = 0; i < options.connections; i++)
        connection_open(&connections[i]);
    run();
    report((double) (g_get_monotonic_time() - started_us) / 1e6);
    return acked == (unsigned) options.mails ? 0 : 1;
}
