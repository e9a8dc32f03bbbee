#!/bin/bash
# T493: what is done with archives, mailboxes and indexes in the administration console is done
. "$(dirname "$0")/browser-lib.sh"
need_browser
plan $(($(tests_in console) + 1))
begin_archive
send_mails reading
wait_for_mails zoe 3
in_browser console
stopped_well
