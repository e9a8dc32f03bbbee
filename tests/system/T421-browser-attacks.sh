#!/bin/bash
# T421: a table of what senders try, each with the sanitizer and without it: nothing happens
. "$(dirname "$0")/browser-lib.sh"
need_browser
plan $(($(tests_in attacks) + 1))
begin_archive
send_mails attachments
wait_for_mails zoe 1
in_browser attacks
stopped_well
