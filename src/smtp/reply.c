/*
 * reply.c - what a failure of the sink means to the sender (RFC 5321 §4.2, RFC 3463 §3)
 *
 * Whatever may be better tomorrow is 4xx: the mail then waits in its sender's queue. A journal
 * report that is refused for good is lost for the archive, so 5xx is only for what cannot change.
 */
#include "internal.h"

MkSmtpReply mk_smtp_reply_for(MkErrorCode code)
{
    switch (code) { /* no default, so that a forgotten code is a warning */
    case MK_ERROR_INVALID: return (MkSmtpReply){ 554, "5.6.0", "The mail cannot be archived" };
    case MK_ERROR_NOT_FOUND: /* the mailbox went away after RCPT */
        return (MkSmtpReply){ 550, "5.1.1", "No such mailbox here" };
    case MK_ERROR_LIMIT: return (MkSmtpReply){ 552, "5.3.4", "The mail is too large" };
    case MK_ERROR_NO_SPACE:
        return (MkSmtpReply){ 452, "4.3.1", "No space for more mail, try again later" };
    case MK_ERROR_BUSY:
        return (MkSmtpReply){ 451, "4.3.2", "Too much mail at once, try again later" };
    case MK_ERROR_CANCELLED:
        return (MkSmtpReply){ 421, "4.3.2", "The server stops, try again later" };
    case MK_ERROR_EXISTS:
    case MK_ERROR_AUTH:
    case MK_ERROR_DENIED:
    case MK_ERROR_IO:
    case MK_ERROR_CORRUPT:
    case MK_ERROR_KEY:
    case MK_ERROR_NETWORK:
    case MK_ERROR_TLS:
    case MK_ERROR_TIMEOUT:
    case MK_ERROR_UNSUPPORTED:
    case MK_ERROR_INTERNAL:
        return (MkSmtpReply){ 451, "4.3.0", "The mail cannot be kept now, try again later" };
    }
    return (MkSmtpReply){ 451, "4.3.0", "The mail cannot be kept now, try again later" };
}
