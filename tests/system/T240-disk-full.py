"""A full disk and a failing fsync give 4xx, never 250, and the archive stays good."""

import os
import smtplib
import subprocess
import tempfile

import samples
from harness import JOURNAL, Skip, VARIANT, all_ids, main, test
from mailkeep_client import smtp_connect, smtp_send

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int is_broken(void)
{
    const char *flag = getenv("FAIL_FSYNC_FLAG");
    return flag != NULL && access(flag, F_OK) == 0;
}

int fsync(int fd)
{
    if (is_broken()) { errno = EIO; return -1; }
    return ((int (*)(int)) dlsym(RTLD_NEXT, "fsync"))(fd);
}

int fdatasync(int fd)
{
    if (is_broken()) { errno = EIO; return -1; }
    return ((int (*)(int)) dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
"""

kept = []


def send_one(t, octets):
    """The reply's code: 250, or what the server said."""
    smtp = smtp_connect(t.server.ports["smtp"], t.server.certificate)
    try:
        smtp_send(smtp, "journal@contoso.example", [JOURNAL], octets)
        kept.append(octets)
        return 250
    except smtplib.SMTPResponseException as answer:
        return answer.smtp_code
    except smtplib.SMTPRecipientsRefused as answer:
        return list(answer.recipients.values())[0][0]
    finally:
        smtp.close()


def there(t):
    api = t.server.api()
    web = t.server.web()
    return sorted(web.raw(i) for i in all_ids(api))


def begin(t):
    t.begin([(name.split()[0].lower(), [address]) for name, address in samples.PEOPLE])
    return [octets for *_, octets in samples.make(60, seed=11)]


@test("a failing fsync is 4xx, and the mail comes in when the disk is well again")
def _(t):
    if VARIANT != "release":
        raise Skip("the shim cannot be loaded below a sanitizer")
    shim = os.path.join(t.work, "shim.so")
    flag = os.path.join(t.work, "broken")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, "-x", "c", "-", "-ldl"], check=True,
                   input=SHIM.encode())
    t.server.environment.update(LD_PRELOAD=shim, FAIL_FSYNC_FLAG=flag)
    mails = begin(t)
    t.grant = t.server.api()
    assert send_one(t, mails[0]) == 250
    with open(flag, "w", encoding="utf-8"):
        pass
    for octets in mails[1:6]:
        code = send_one(t, octets)
        assert 400 <= code < 500, code
    os.unlink(flag)
    for octets in mails[1:8]:
        assert send_one(t, octets) == 250
    owned(t)
    assert there(t) == sorted(kept)
    t.server.api()("VerifyStore", id=1, includeIndexes="true")
    assert t.server.stop() == 0
    t.server.start()
    assert there(t) == sorted(kept)
    t.server.api()("VerifyStore", id=1, includeIndexes="true")
    assert t.server.stop() == 0
    t.server.environment.pop("LD_PRELOAD")


def owned(t):
    api = t.server.api()
    if "@catchall" in {f["fullName"] for f in api("GetChildFolders")}:
        t.grant_catchall(api)


@test("a full disk is 4xx, and the archive goes on when there is room")
def _(t):
    if os.geteuid() != 0:
        raise Skip("mounting a small file system needs root")
    t.server.stop()  # when the test before has failed
    kept.clear()
    with tempfile.TemporaryDirectory(prefix="mailkeep-full.") as mount:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=120m", "tmpfs", mount],
                          stderr=subprocess.DEVNULL, check=False).returncode != 0:
            raise Skip("no file system can be mounted here")
        try:
            full_disk(t, mount)
        finally:
            t.server.stop()
            subprocess.run(["umount", mount], check=True)


def full_disk(t, mount):
    t.server.data = os.path.join(mount, "data")
    t.server.certificate = os.path.join(t.server.data, "tls", "certificate.pem")
    mails = begin(t)
    assert send_one(t, mails[0]) == 250
    with open(os.path.join(mount, "ballast"), "wb") as ballast:
        try:
            while True:
                ballast.write(bytes(1 << 20))
                ballast.flush()
        except OSError:
            pass
    codes = [send_one(t, octets) for octets in mails[1:9]]
    assert any(400 <= c < 500 for c in codes), codes
    assert all(c == 250 or 400 <= c < 500 for c in codes), codes
    owned_when_possible(t)
    assert t.server.process.poll() is None
    os.unlink(os.path.join(mount, "ballast"))
    wait_for_room(t, mails[9])
    for octets in mails[1:20]:
        assert send_one(t, octets) == 250
    owned(t)
    assert there(t) == sorted(set(kept))
    t.server.api()("VerifyStore", id=1, includeIndexes="true")
    assert t.server.stop() == 0
    t.server.start()
    assert there(t) == sorted(set(kept))
    t.server.api()("VerifyStore", id=1, includeIndexes="true")


def owned_when_possible(t):
    t.server.api()("GetServerInfo")  # it still answers


def wait_for_room(t, octets):
    """Free space is looked at every few seconds only."""
    import time
    for _ in range(40):
        if send_one(t, octets) == 250:
            return
        time.sleep(0.25)
    raise AssertionError("still no mail is taken")


main()
