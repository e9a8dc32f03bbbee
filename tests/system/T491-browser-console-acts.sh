#!/bin/bash
# T491: what is done in the administration console is done
. "$(dirname "$0")/browser-lib.sh"
need_browser
plan $(($(tests_in console) + 2))
begin_archive
send_mails reading
wait_for_mails zoe 3
in_browser console
as admin POST /api/v1/invoke/GetUserInfo -d userName=nora.neu > "$WORK/status"
is "the user made in the console is there" "$(value fullName)" "Nora Neu"
stopped_well
