#!/bin/bash
# T494: the certificate and the host name are changed in the administration console; openssl sees it
. "$(dirname "$0")/browser-lib.sh"
need_browser
need openssl
plan $(($(tests_in console-certificate) + 1))
begin_archive
# A name that the settings file gives cannot be chosen in the console.
stop_daemon
sed -i '/^hostname:/d' "$CONFIG"
start_daemon "$HTTPS_PORT" "$API_PORT"
in_browser console-certificate
stopped_well
