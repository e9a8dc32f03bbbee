#!/bin/bash
# T422: in the browser: what a page of another site can do with ours while somebody is logged in
. "$(dirname "$0")/browser-lib.sh"
need_browser
plan $(($(tests_in framing) + 1))
begin_archive
send_mails reading
wait_for_mails zoe 3
in_browser framing
stopped_well
