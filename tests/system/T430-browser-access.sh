#!/bin/bash
# T430: every view for everyone: axe, 1280, 360 and 320 px, both languages, light and dark
. "$(dirname "$0")/browser-lib.sh"
need_browser
plan $(($(tests_in access) + 1))
begin_archive
send_mails reading
send_mails attachments
wait_for_mails zoe 4
in_browser access
stopped_well
