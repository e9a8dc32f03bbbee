#!/bin/bash
# T460: the own account in the browser: app passwords, the password and its rules
. "$(dirname "$0")/browser-lib.sh"
need_browser
plan $(($(tests_in account) + 1))
begin_archive
add_user max max@x.example
api SetUserPrivileges userName=max privileges=login,changePassword > "$WORK/out"
add_user ida ida@x.example
in_browser account
stopped_well
