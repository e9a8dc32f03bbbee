#!/bin/bash
# T492: every page of the administration console on a phone
. "$(dirname "$0")/browser-lib.sh"
need_browser
plan $(($(tests_in console-phone) + 1))
begin_archive
send_mails reading
wait_for_mails zoe 3
in_browser console-phone
stopped_well
