#!/bin/bash
# T491: what is done with users, and in the shell, of the administration console is done
. "$(dirname "$0")/browser-lib.sh"
need_browser
plan $(($(tests_in console-users) + 2))
begin_archive
in_browser console-users
as admin POST /api/v1/invoke/GetUserInfo -d userName=nora.neu > "$WORK/status"
is "the user made in the console is there" "$(value fullName)" "Nora Neu"
stopped_well
