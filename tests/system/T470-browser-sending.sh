#!/bin/bash
# T470: mails chosen in the list and had as a ZIP, restored by mail, and the toolbar that offers it
. "$(dirname "$0")/browser-lib.sh"
need_browser
need openssl unzip
plan $(($(tests_in sending) + 2))
begin_archive
send_mails reading
wait_for_mails zoe 3

mkdir "$WORK/target"
mkfifo "$WORK/target.in"
python3 "$(dirname "$0")/smtp_target.py" "$WORK/target" < "$WORK/target.in" > "$WORK/target.log" 2>&1 &
exec 8> "$WORK/target.in"
has_port() { [ -s "$WORK/target/port" ]; }
wait_until "the mail server" has_port || bail "$(cat "$WORK/target.log")"
api SetSmtpSettings "settings={\"hostname\": \"localhost\", \"port\": $(cat "$WORK/target/port"),
    \"ignoreSslPolicyErrors\": true, \"fromEmailAddress\": \"archive@x.example\"}" > "$WORK/settings"

in_browser sending

as zoe GET '/api/v1/search?q=zebra' > "$WORK/status"
as zoe GET "/api/v1/messages/$(value id)/raw" > "$WORK/status"
ok "what was restored is the mail, octet for octet" cmp "$WORK/body" "$WORK/target/1.eml"
exec 8>&-
stopped_well
