#!/bin/bash
# T420: hostile mails do nothing in the browser: scripts, SVG, CSS, forms, refresh, types, names
. "$(dirname "$0")/browser-lib.sh"
need_browser
plan $(($(tests_in hostile) + 1))
begin_archive
send_mails hostile
wait_for_mails zoe 7
in_browser hostile
stopped_well
