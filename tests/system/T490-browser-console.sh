#!/bin/bash
# T490: the administration console: every page for everyone's eyes, and what it does is done
. "$(dirname "$0")/browser-lib.sh"
need_browser
plan $(($(tests_in console) + 6))
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

export API_PORT JOURNAL
in_browser console

# --- what was done in the browser -------------------------------------------------------------------
as admin POST /api/v1/invoke/GetUserInfo -d userName=nora.neu > "$WORK/status"
is "the user made in the console is there" "$(value fullName)" "Nora Neu"
stopped_well
