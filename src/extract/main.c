/*
 * main.c - mailkeep-extract: the text of attachments, read behind locked doors
 *
 *   mailkeep-extract MEMORY_MIB     started by mailkeepd, with a socket as descriptor 3
 *
 * Everything is given up first; only then is the first octet read. See docs/protocols/extract.md.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mailkeep/mail.h>

#include "internal.h"

static bool is_socket(int fd)
{
    int type;
    socklen_t length = sizeof type;

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_SEQPACKET;
}

int main(int argc, char **argv)
{
    unsigned long memory_mib = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;

    if (memory_mib == 0 || memory_mib > 65536 || !is_socket(MK_WIRE_SOCKET)) {
        fprintf(stderr, "mailkeep-extract: mailkeepd starts this program for itself\n");
        return 2;
    }
    close_range(MK_WIRE_SOCKET + 1, ~0u, 0);
    /* Names in archives come as UTF-8. */
    setlocale(LC_ALL, "C.UTF-8");
    mk_mail_init();
    if (!sandbox_enter((unsigned) memory_mib))
        return 3;
    return serve(MK_WIRE_SOCKET);
}
