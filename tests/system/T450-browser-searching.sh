#!/bin/bash
# T450: searching in the browser: suggestions, text around hits, conversations, saved searches, the form
. "$(dirname "$0")/browser-lib.sh"
need_browser
plan $(($(tests_in searching) + 1))
begin_archive
send_mails reading
wait_for_mails zoe 3
in_browser searching
stopped_well
