/* load_tls.c - mbedTLS straight on a socket */
#include "load_tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <psa/crypto.h>

struct LoadTls {
    int fd;
    mbedtls_ssl_context ssl;
};

static void die(const char *what, int rc)
{
    fprintf(stderr, "smtp_load: %s: %d\n", what, rc);
    exit(2);
}

static const mbedtls_ssl_config *shared_config(void)
{
    static mbedtls_ssl_config config;
    static mbedtls_entropy_context entropy;
    static mbedtls_ctr_drbg_context random;
    static gboolean ready;

    if (ready)
        return &config;
    ready = TRUE;
    psa_crypto_init();
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&random);
    mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, NULL, 0);
    mbedtls_ssl_config_init(&config);
    mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_conf_authmode(&config, MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &random);
    return &config;
}

static int on_send(void *cookie, const unsigned char *data, size_t length)
{
    LoadTls *tls = cookie;
    ssize_t n = write(tls->fd, data, length);

    if (n < 0 && errno == EAGAIN)
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    return n < 0 ? -1 : (int) n;
}

static int on_receive(void *cookie, unsigned char *data, size_t length)
{
    LoadTls *tls = cookie;
    ssize_t n = read(tls->fd, data, length);

    if (n < 0 && errno == EAGAIN)
        return MBEDTLS_ERR_SSL_WANT_READ;
    return n < 0 ? -1 : (int) n;
}

/* Sends @command and reads to the end of the reply; both stop where TLS would begin. */
static void ask(int fd, const char *command)
{
    char reply[4096];
    size_t length = 0;
    const char *line = reply;

    if (write(fd, command, strlen(command)) < 0)
        die("write", errno);
    for (;;) {
        char *end;
        ssize_t n = read(fd, reply + length, sizeof reply - 1 - length);

        if (n <= 0)
            die("the server has closed", errno);
        length += (size_t) n;
        reply[length] = '\0';
        for (; (end = strstr(line, "\r\n")) != NULL; line = end + 2)
            if (line[3] == ' ') {
                if (*line != '2')
                    die("refused before TLS", atoi(line));
                return;
            }
    }
}

LoadTls *load_tls_start(int fd, const char *hello)
{
    LoadTls *tls = g_new0(LoadTls, 1);
    int rc;

    tls->fd = fd;
    ask(fd, ""); /* the greeting */
    ask(fd, hello);
    ask(fd, "STARTTLS\r\n");
    mbedtls_ssl_init(&tls->ssl);
    if ((rc = mbedtls_ssl_setup(&tls->ssl, shared_config())) != 0)
        die("TLS", rc);
    mbedtls_ssl_set_hostname(&tls->ssl, "localhost");
    mbedtls_ssl_set_bio(&tls->ssl, tls, on_send, on_receive, NULL);
    if ((rc = mbedtls_ssl_handshake(&tls->ssl)) != 0)
        die("TLS handshake", rc);
    return tls;
}

ssize_t load_tls_read(LoadTls *tls, void *data, size_t length)
{
    int n;

    do
        n = mbedtls_ssl_read(&tls->ssl, data, length);
    while (n == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET);
    if (n >= 0 || n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        return MAX(n, 0);
    errno = n == MBEDTLS_ERR_SSL_WANT_READ || n == MBEDTLS_ERR_SSL_WANT_WRITE ? EAGAIN : EIO;
    return -1;
}

ssize_t load_tls_write(LoadTls *tls, const void *data, size_t length)
{
    int n = mbedtls_ssl_write(&tls->ssl, data, length);

    if (n >= 0)
        return n;
    errno = n == MBEDTLS_ERR_SSL_WANT_READ || n == MBEDTLS_ERR_SSL_WANT_WRITE ? EAGAIN : EIO;
    return -1;
}

void load_tls_free(LoadTls *tls)
{
    if (tls == NULL)
        return;
    mbedtls_ssl_close_notify(&tls->ssl);
    mbedtls_ssl_free(&tls->ssl);
    g_free(tls);
}
