#!/bin/bash
# T460: the own account in the browser: password, two-factor sign-in with oathtool, app passwords
. "$(dirname "$0")/browser-lib.sh"
need_browser
need oathtool zbarimg
plan $(($(tests_in account) + 1))
begin_archive
for name in zoe lisa; do
    api SetUserPrivileges "userName=$name" privileges=login,changePassword > "$WORK/out"
done
add_user max max@x.example
api SetUserPrivileges userName=max privileges=login,changePassword > "$WORK/out"
add_user ida ida@x.example
in_browser account
stopped_well
