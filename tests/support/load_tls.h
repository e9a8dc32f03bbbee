/* load_tls.h - the client's side of STARTTLS on a socket, for smtp_load; checks no certificate */
#ifndef LOAD_TLS_H
#define LOAD_TLS_H

#include <stddef.h>
#include <sys/types.h>

typedef struct LoadTls LoadTls;
/* Speaks up to STARTTLS and the end of the handshake on the connected, blocking @fd; or exits. */
LoadTls *load_tls_start(int fd, const char *hello);
/* Like read() and write() on a socket that does not block. */
ssize_t load_tls_read(LoadTls *tls, void *data, size_t length);
ssize_t load_tls_write(LoadTls *tls, const void *data, size_t length);
void load_tls_free(LoadTls *tls);

#endif
