#!/bin/bash
# T440: the web application by keyboard alone, and on a phone
. "$(dirname "$0")/browser-lib.sh"
need_browser
plan $(($(tests_in keyboard) + 1))
begin_archive
send_mails reading
wait_for_mails zoe 3
in_browser keyboard
stopped_well
