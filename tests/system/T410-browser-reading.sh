#!/bin/bash
# T410: the web application in a browser: sign in, folders, list, search, mail, shortcuts, links
. "$(dirname "$0")/browser-lib.sh"
need_browser
plan $(($(tests_in reading) + 1))
begin_archive
send_mails reading
wait_for_mails zoe 3
in_browser reading
stopped_well
