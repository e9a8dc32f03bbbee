#!/bin/bash
# T461: two-factor sign-in in the browser, with oathtool's codes
. "$(dirname "$0")/browser-lib.sh"
need_browser
need oathtool zbarimg
plan $(($(tests_in second-factor) + 1))
begin_archive
add_user ida ida@x.example
in_browser second-factor
stopped_well
