/* whole.c - files read and written whole: interrupted and short calls are gone on with */
#include <mailkeep/base.h>

#include <errno.h>
#include <unistd.h>

/* True: go on behind @n octets. A write of nothing would be tried for ever. */
static bool advance(ssize_t n, int errnum_of_none, size_t *done)
{
    if (n < 0)
        return errno == EINTR;
    if (n == 0) {
        errno = errnum_of_none;
        return false;
    }
    *done += (size_t) n;
    return true;
}

bool mk_write_all(int fd, const void *data, size_t length)
{
    size_t done = 0;

    while (done < length)
        if (!advance(write(fd, (const uint8_t *) data + done, length - done), EIO, &done))
            return false;
    return true;
}

bool mk_pwrite_all(int fd, const void *data, size_t length, uint64_t offset)
{
    size_t done = 0;

    while (done < length)
        if (!advance(
                pwrite(fd, (const uint8_t *) data + done, length - done, (off_t) (offset + done)),
                EIO, &done))
            return false;
    return true;
}

bool mk_pread_all(int fd, void *out, size_t length, uint64_t offset)
{
    size_t done = 0;

    while (done < length)
        if (!advance(pread(fd, (uint8_t *) out + done, length - done, (off_t) (offset + done)), 0,
                     &done))
            return false;
    return true;
}
