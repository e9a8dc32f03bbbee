/*
 * limits.h - every bound in one place: unit in the name, reason beside it
 *
 * A bound that an administrator may set stands in the settings (settings.h); its default is here.
 */
#ifndef MAILKEEP_LIMITS_H
#define MAILKEEP_LIMITS_H

/* -- mail ------------------------------------------------------------------------------- */
#define MK_LIMIT_MESSAGE_BYTES (150u << 20)     /* default; the top of Exchange Online */
#define MK_LIMIT_HEADER_FIELD_BYTES (64u << 10) /* parsed part of one field (GMime recursion) */
#define MK_LIMIT_HEADER_BYTES (1u << 20) /* parsed part of a header; the rest is kept, not read */
#define MK_LIMIT_HEADER_FIELDS 2000      /* parsed fields; 200,000 take 104 MB in GMime */
#define MK_LIMIT_PARTS 1000              /* parsed parts of a mail */
#define MK_LIMIT_NESTING 64              /* parsed depth of parts in parts */
#define MK_LIMIT_TEXT_BYTES (4u << 20)   /* text of one mail given to the index */
#define MK_LIMIT_ADDRESSES 20000         /* addresses read from one mail or report */
#define MK_LIMIT_DISPLAY_BYTES 1024      /* subject or name kept for lists */

/* -- store ------------------------------------------------------------------------------ */
#define MK_LIMIT_BATCH_MAILS 256                /* mails in one group commit */
#define MK_LIMIT_BATCH_BYTES (16u << 20)        /* octets in one group commit */
#define MK_LIMIT_COMMIT_QUEUE_BYTES (32u << 20) /* above it submit blocks a lane */
#define MK_LIMIT_BLOB_BYTES (1u << 20)   /* plain octets of one blob; larger parts are several */
#define MK_LIMIT_BLOB_MIN_BYTES 1024     /* smaller parts stay in the skeleton */
#define MK_LIMIT_RECORD_BYTES (8u << 20) /* sealed payload of one pack record */
#define MK_LIMIT_PACK_BYTES (512u << 20) /* a pack is closed when it is larger */
#define MK_LIMIT_FREE_DISK_BYTES (64u << 20) /* below this no mail is taken: 452 */

/* -- ingest ----------------------------------------------------------------------------- */
#define MK_LIMIT_SPOOL_MEMORY_BYTES (256u << 10) /* larger mails go to a sealed file */
#define MK_LIMIT_SPOOL_TOTAL_BYTES (48u << 20)   /* in memory, all sessions; above it 451 */
#define MK_LIMIT_INGEST_QUEUE_MAILS 1000         /* mails that wait for a bulk lane; above it 451 */
#define MK_LIMIT_LARGE_MAIL_BYTES (16u << 20)    /* mails above are prepared one at a time */

/* -- SMTP ------------------------------------------------------------------------------- */
#define MK_LIMIT_SMTP_COMMAND_BYTES 2048   /* with CRLF; RFC 5321 4.5.3.1.4: at least 512 */
#define MK_LIMIT_SMTP_PATH_BYTES 256       /* RFC 5321 4.5.3.1.3 */
#define MK_LIMIT_SMTP_RECIPIENTS 1000      /* a transaction; RFC 5321 4.5.3.1.8 asks at least 100 */
#define MK_LIMIT_SMTP_ERRORS 20            /* bad commands before 421 */
#define MK_LIMIT_SMTP_COMMAND_MS 300000    /* RFC 5321 4.5.3.2.7 */
#define MK_LIMIT_SMTP_DATA_BLOCK_MS 180000 /* RFC 5321 4.5.3.2.5 */
#define MK_LIMIT_SMTP_MIN_RATE_BYTES 100   /* a second, over a minute of DATA; slower is 421 */
#define MK_LIMIT_SMTP_TRANSACTIONS 10000   /* a session */

/* Of the client. Waiting is shorter than RFC 5321 4.5.3.2 asks, but behind the last dot: there a
 * mail that is given up too early may be sent twice; before it, only tried again. */
#define MK_LIMIT_SMTP_CONNECT_MS 30000
#define MK_LIMIT_SMTP_REPLY_MS 60000        /* greeting and commands */
#define MK_LIMIT_SMTP_DATA_START_MS 120000  /* RFC 5321 4.5.3.2.4 */
#define MK_LIMIT_SMTP_DATA_END_MS 600000    /* RFC 5321 4.5.3.2.6 */
#define MK_LIMIT_SMTP_SEND_MS 1800000       /* all of it */
#define MK_LIMIT_SMTP_REPLY_LINES 100       /* of one reply */
#define MK_LIMIT_SMTP_REPLY_BYTES 8192      /* the same, all lines */
#define MK_LIMIT_SMTP_REPLY_SHOWN_BYTES 512 /* of it, in an error */
#define MK_LIMIT_SMTP_HOST_BYTES 255
#define MK_LIMIT_SMTP_NOTIFIED 20 /* recipients of notifications */
#define MK_LIMIT_SENDS 4          /* restores by mail at once; each has its mail in memory */
#define MK_LIMIT_RESTORES 30      /* of one user within the window: nobody is flooded */
#define MK_LIMIT_RESTORE_WINDOW_MS 600000

/* -- net, http -------------------------------------------------------------------------- */
#define MK_LIMIT_CONNECTIONS 1000 /* default of limits.connections */
#define MK_LIMIT_TLS_HANDSHAKE_MS 30000
#define MK_LIMIT_WRITE_QUEUE_BYTES (1u << 20) /* unsent; above it the owner must wait */
#define MK_LIMIT_READ_CHUNK_BYTES (64u << 10)
#define MK_LIMIT_CERTIFICATE_BYTES (64u << 10) /* a chain in PEM; three of RSA 4096 have 8 KiB */
#define MK_LIMIT_TLS_KEY_BYTES (16u << 10)     /* in PEM; RSA 8192 has 6 KiB */
#define MK_LIMIT_HTTP_URL_BYTES 16384
#define MK_LIMIT_HTTP_HEADER_BYTES 32768
#define MK_LIMIT_HTTP_HEADERS 100
#define MK_LIMIT_HTTP_BODY_BYTES (1u << 20)    /* a request's body */
#define MK_LIMIT_HTTP_FORM_FIELDS 1000         /* arguments in a query or a form */
#define MK_LIMIT_HTTP_PIECE_BYTES (256u << 10) /* of an answer's body at a time */
#define MK_LIMIT_HTTP_HEADER_MS 20000          /* first octet to end of header */
#define MK_LIMIT_HTTP_BODY_MS 60000
#define MK_LIMIT_HTTP_IDLE_MS 75000   /* keep-alive */
#define MK_LIMIT_HTTP_WRITE_MS 120000 /* no progress in sending an answer */

/* -- lanes ------------------------------------------------------------------------------ */
#define MK_LIMIT_LANE_QUEUE_JOBS 4096

/* -- users, sessions -------------------------------------------------------------------- */
#define MK_LIMIT_USER_NAME_BYTES 256
#define MK_LIMIT_PASSWORD_BYTES 1024
#define MK_LIMIT_PASSWORD_JOBS 2 /* Argon2id at once: memory, 64 MiB each */
#define MK_LIMIT_FOLDER_PATH_BYTES 1024
#define MK_LIMIT_LOGIN_FAILURES 10 /* within the window, for a user name or a client address */
#define MK_LIMIT_LOGIN_WINDOW_MS 600000
#define MK_LIMIT_SESSION_IDLE_MS 3600000 /* web session */
#define MK_LIMIT_SESSIONS 10000
#define MK_LIMIT_PROPERTY_BYTES 1024   /* full name, distinguished name, one address of a user */
#define MK_LIMIT_USER_ADDRESSES 1000   /* e-mail addresses, POP3 user names of one user */
#define MK_LIMIT_USER_RIGHTS 10000     /* folders that one user has rights on */
#define MK_LIMIT_LOGIN_TRACKED 10000   /* names and addresses whose failures are counted */
#define MK_LIMIT_LOGIN_CACHE 1000      /* right answers remembered ... */
#define MK_LIMIT_LOGIN_CACHE_MS 300000 /* ... this long, so that Basic costs no Argon2id each */
#define MK_LIMIT_TWO_FACTOR_SETUP_MS 900000 /* from a new secret to the first code of it */
#define MK_LIMIT_LOGIN_CODE_BYTES 64        /* as typed: blanks and dashes included */
#define MK_LIMIT_APP_PASSWORDS 50           /* of one user */
#define MK_LIMIT_APP_PASSWORD_NAME_BYTES 200
#define MK_LIMIT_APP_PASSWORD_USE_MS 600000 /* the last use is written at most so often */
#define MK_LIMIT_SESSION_SEEN_MS 900000     /* a session counts as active so long */
#define MK_LIMIT_GATEWAY_MAILBOXES 10000
#define MK_LIMIT_SESSIONS_PER_USER 100 /* web sessions; the least used one ends */

/* -- web -------------------------------------------------------------------------------- */
#define MK_LIMIT_WEB_LOGIN_BYTES 16384     /* body of POST session */
#define MK_LIMIT_WEB_TEXT_BYTES (2u << 20) /* text of a mail shown; all of it is in its raw form */
#define MK_LIMIT_WEB_TEXT_PARTS 20         /* text parts shown; more are listed as attachments */
#define MK_LIMIT_WEB_ADDRESSES 1000        /* addresses shown of one field */
#define MK_LIMIT_WEB_DOWNLOAD_BYTES (64u << 20) /* mails in memory that wait for slow readers */
#define MK_LIMIT_ZIP_MAILS 1000
#define MK_LIMIT_ZIP_BYTES (2000u << 20) /* all mails of one; far below where ZIP64 begins */
#define MK_LIMIT_ZIP_NAME_BYTES 120      /* of a file in it: Windows' paths have 260 characters */

/* -- first start ------------------------------------------------------------------------ */
#define MK_LIMIT_SETUP_CLAIMS 10       /* wrong tokens of one address ... */
#define MK_LIMIT_SETUP_WINDOW_MS 60000 /* ... in this time; 256 bits are not guessed anyway */
#define MK_LIMIT_SETUP_TRACKED 1000    /* addresses that are counted; more are refused */

/* -- attachment text --------------------------------------------------------------------- */
#define MK_LIMIT_ATTACHMENT_TEXT_BYTES (2u << 20) /* text of one attachment */
#define MK_LIMIT_EXTRACT_BYTES (64u << 20)        /* octets of one attachment given to the helper */
#define MK_LIMIT_EXTRACT_SECONDS 30               /* for one attachment; twice as much with OCR */
#define MK_LIMIT_EXTRACT_MEMORY_MIB 512           /* of the helper: address space */
#define MK_LIMIT_PREVIEWS 1                       /* attachments read at a time: searches go on */
#define MK_LIMIT_PREVIEW_SECONDS 5                /* for one of them: somebody waits */
#define MK_LIMIT_PREVIEW_TEXT_BYTES (512u << 10)  /* of it: more than one reads on a screen */
#define MK_LIMIT_PAGE_WIDTH 1200        /* pixels of a page's picture: sharp on a laptop */
#define MK_LIMIT_PAGE_HEIGHT 3000       /* likewise; what is longer becomes narrower */
#define MK_LIMIT_PAGE_BYTES (12u << 20) /* of the picture: above what PNG can need for its pixels */
#define MK_LIMIT_PAGE_SIDE_POINTS 1.0e6 /* of a page; ISO 32000-1, C.2 has at most 14,400 */
#define MK_LIMIT_DOCUMENT_PAGES 1000000u             /* that are believed to be in a document */
#define MK_LIMIT_EXTRACT_ENTRIES 1000                /* in all archives of one attachment */
#define MK_LIMIT_EXTRACT_DEPTH 4                     /* archives and mails in each other */
#define MK_LIMIT_EXTRACT_MAIL_ATTACHMENTS 100        /* of one mail; the rest is "not indexed" */
#define MK_LIMIT_EXTRACT_UNPACKED_BYTES (256u << 20) /* all that one attachment unpacks to */
#define MK_LIMIT_EXTRACT_RATIO 300 /* unpacked to packed, above the first MiB; text has 2 to 50 */
#define MK_LIMIT_EXTRACT_DOCUMENTS 1000 /* of one helper, which then ends: nothing grows for ever */
#define MK_LIMIT_EXTRACT_OCR_PAGES 20   /* of one PDF: 1 to 2 seconds of processor time each */

/* -- search ----------------------------------------------------------------------------- */
#define MK_LIMIT_QUERY_BYTES 4096
#define MK_LIMIT_QUERY_CLAUSES 64
#define MK_LIMIT_QUERY_TERM_PIECES 32
#define MK_LIMIT_QUERY_TERM_TOKENS 128 /* of them; CJK text is cut into pairs of characters */
#define MK_LIMIT_WILDCARD_TERMS 20000  /* dictionary terms one wildcard may stand for */
#define MK_LIMIT_TOKEN_BYTES 64        /* longer tokens are cut, in mails and in queries alike */
#define MK_LIMIT_SEARCH_PAGE 1000
#define MK_LIMIT_SNIPPET_PAGE 100 /* hits of a page that get a snippet */
#define MK_LIMIT_SNIPPET_BYTES 240
#define MK_LIMIT_SUGGESTIONS 50
#define MK_LIMIT_GROUP_NUMBERS 50   /* mails of a conversation, copies: listed with one hit */
#define MK_LIMIT_SAVED_SEARCHES 200 /* of one user */
#define MK_LIMIT_SAVED_SEARCH_NAME_BYTES 200
#define MK_LIMIT_SAVED_SEARCH_BYTES 16384      /* its criteria */
#define MK_LIMIT_SCOPE_CACHE_BYTES (8u << 20)  /* which mails are in the folders of a search */
#define MK_LIMIT_INDEX_CACHE_BYTES (24u << 20) /* opened blocks kept in memory, per index */
#define MK_LIMIT_TEXT_CACHE_BYTES (64u << 20)  /* texts of mails shown last, per store */
#define MK_LIMIT_MERGE_BYTES (96u << 20)       /* memory of a merge */
#define MK_LIMIT_SEARCH_MS 10000               /* a search is ended after this */
#define MK_LIMIT_SEGMENT_MAILS 20000           /* mails in one index batch */

/* -- administration --------------------------------------------------------------------- */
#define MK_LIMIT_OPERATIONS 100            /* long-running operations kept, running or ended */
#define MK_LIMIT_OPERATION_KEEP_MS 3600000 /* an ended operation's last status */
#define MK_LIMIT_STATUS_WAIT_MS 60000      /* longest wait of get-status */

#endif
