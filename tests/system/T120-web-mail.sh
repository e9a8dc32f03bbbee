#!/bin/bash
# T120: a mail by the web API: raw and report octet for octet, parts, header, lists, arrivals
. "$(dirname "$0")/web-lib.sh"
plan 38
begin_archive
api SetUserPrivilegesOnFolder userName=admin folder=zoe privileges=read > "$WORK/out"

# An ugly mail: octets that are not UTF-8, odd base64, blanks at line ends, an encoded file name.
{
    printf 'From: =?utf-8?q?J=C3=B6rg?= <out@else.example>\r\nTo: Zoe <zoe@x.example>\r\n'
    printf 'Subject: caf\xe9 =?utf-8?q?=E2=82=AC?=  \r\n folded \r\nX-Raw: \xff\xfe\r\n'
    printf 'Date: Tue, 02 Jan 2024 03:04:05 +0000\r\nMIME-Version: 1.0\r\n'
    printf 'Content-Type: multipart/mixed; boundary="b b"\r\n\r\npreamble\r\n--b b\r\n'
    printf 'Content-Type: text/plain; charset=iso-8859-1\r\n\r\ngr\xfcn \t\r\n.\r\n..dots\r\n\r\n--b b\r\n'
    printf 'Content-Type: text/html; charset=utf-8\r\n\r\n<script>alert(1)</script><b>x</b>\r\n--b b\r\n'
    printf 'Content-Type: text/html; name="evil.html"\r\nContent-Disposition: attachment;\r\n'
    printf " filename*=utf-8''%%e2%%82%%ac%%22.html\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    head -c 100000 /dev/urandom | tee "$WORK/attachment" | base64 -w 71 | sed 's/$/\r/'
    printf '\r\n--b b--\r\nepilogue'
    printf '\r\n'
} > "$WORK/ugly.eml"
send_mail "$WORK/ugly.eml"
wait_for_mails zoe 1
ID=$(value id)

# --- downloads --------------------------------------------------------------------------------
is "raw" "$(as zoe GET "/api/v1/messages/$ID/raw")" 200
same_file "is octet for octet" "$WORK/body" "$WORK/ugly.eml"
is "its type" "$(field Content-Type)" message/rfc822
like "is a download" "$(field Content-Disposition)" '^attachment; filename="mail-[0-9]+-[0-9]+\.eml"'
like "is in no cache" "$(field Cache-Control)" no-store
is "its length" "$(field Content-Length)" "$(stat -c %s "$WORK/ugly.eml")"
is "HEAD" "$(as zoe HEAD "/api/v1/messages/$ID/raw")" 200
is "tells the same length" "$(field Content-Length)" "$(stat -c %s "$WORK/ugly.eml")"
is "an attachment" "$(as zoe GET "/api/v1/messages/$ID/attachments/3")" 200
same_file "is octet for octet" "$WORK/body" "$WORK/attachment"
is "its type is one that nothing runs" "$(field Content-Type)" application/octet-stream
is "its name" "$(field Content-Disposition)" \
    "attachment; filename=\"__.html\"; filename*=UTF-8''%E2%82%AC%22.html"
is "an HTML part is a download too" "$(as zoe GET "/api/v1/messages/$ID/attachments/2")" 200
is "of that type" "$(field Content-Type)" application/octet-stream

# --- to be read -------------------------------------------------------------------------------
is "the message" "$(as zoe GET "/api/v1/messages/$ID")" 200
is "is JSON" "$(field Content-Type)" application/json
ok "is valid UTF-8" iconv -f utf-8 -t utf-8 -o /dev/null "$WORK/body"
is "its folder" "$(value folder)" "zoe/Journal Incoming"
is "its kind" "$(value kind)" in
is "its date" "$(value date)" 2024-01-02T03:04:05Z
is "its size" "$(value size)" "$(stat -c %s "$WORK/ugly.eml")"
like "its text" "$(cat "$WORK/body")" 'grün'
like "its HTML as text" "$(cat "$WORK/body")" '<script>alert\(1\)'
is "the header" "$(as zoe GET "/api/v1/messages/$ID/headers")" 200
ok "is valid UTF-8" iconv -f utf-8 -t utf-8 -o /dev/null "$WORK/body"
like "in fields" "$(cat "$WORK/body")" '\{"name":"To","value":"Zoe <zoe@x.example>"\}'
like "and as it stands" "$(cat "$WORK/body")" '"raw":"From: =\?utf-8\?q\?J=C3=B6rg\?= <out@else.example>\\r\\nTo: '

# --- lists --------------------------------------------------------------------------------------
is "the folder's list" "$(as zoe GET '/api/v1/messages?folder=zoe/Journal+Incoming&sort=size')" 200
is "has it" "$(value id)" "$ID"
as zoe GET '/api/v1/search?from=2024-01-02&to=2024-01-02' > "$WORK/status"
is "found on its day" "$(value total)" 1
as zoe GET '/api/v1/search?from=2024-01-03' > "$WORK/status"
is "and not behind it" "$(value total)" 0

# --- a journal report around a mail --------------------------------------------------------------
printf 'From: lisa@x.example\r\nTo: zoe@x.example\r\nSubject: inner\r\n\r\nhello\r\n' > "$WORK/inner.eml"
{
    printf 'From: <journal@x.example>\r\nTo: <%s>\r\nSubject: report\r\nMIME-Version: 1.0\r\n' "$JOURNAL"
    printf 'X-MS-Journal-Report:\r\nContent-Type: multipart/mixed; boundary="jr"\r\n\r\n--jr\r\n'
    printf 'Content-Type: text/plain; charset="us-ascii"\r\n\r\nSender: lisa@x.example\r\n'
    printf 'Subject: inner\r\nMessage-Id: <i@x.example>\r\nTo: zoe@x.example\r\nBcc: lisa@x.example\r\n'
    printf '\r\n--jr\r\nContent-Type: message/rfc822\r\n\r\n'
    cat "$WORK/inner.eml"
    printf '\r\n--jr--\r\n'
} > "$WORK/report.eml"
send_mail "$WORK/report.eml"
wait_for_mails zoe 2
as zoe GET '/api/v1/search?q=inner' > "$WORK/status"
INNER=$(value id)
as zoe GET "/api/v1/messages/$INNER/raw" > "$WORK/status"
cmp -s "$WORK/body" "$WORK/inner.eml"
is "the mail inside is octet for octet" $? 0
is "its arrivals" "$(as admin GET "/api/v1/messages/$INNER/arrivals")" 200
is "have the sender" "$(value reversePath)" out@else.example
is "and say that there is a report" "$(value hasReport)" true
is "the report" "$(as admin GET "/api/v1/messages/$INNER/arrivals/0/report")" 200
same_file "is octet for octet" "$WORK/body" "$WORK/report.eml"
stopped_well
