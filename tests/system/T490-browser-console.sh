#!/bin/bash
# T490: the administration console: every page for everyone's eyes; users have none of it
. "$(dirname "$0")/browser-lib.sh"
need_browser
plan $(($(tests_in console-pages) + 5))
begin_archive
send_mails reading
wait_for_mails zoe 3

# --- without privileges there is no console, whatever is asked for --------------------------------
as zoe POST /api/v1/invoke/GetDashboard > "$WORK/status"
is "a user gets no dashboard" "$(value details)" denied
as zoe POST /api/v1/invoke/GetUserOverview > "$WORK/status"
is "nor who may do what" "$(value details)" denied
is "somebody gets nothing" "$(as nobody POST /api/v1/invoke/GetDashboard)" 401
as admin POST /api/v1/invoke/GetDashboard > "$WORK/status"
is "an administrator gets it" "$(value today)" 3

in_browser console-pages
stopped_well
