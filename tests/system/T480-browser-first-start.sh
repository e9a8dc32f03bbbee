#!/bin/bash
# T480: the first start in a browser, from the link to the first mail: desktop and phone, both languages
. "$(dirname "$0")/browser-lib.sh"
need_browser
need swaks
plan $((2 * $(tests_in setup) + 2))

link_is_shown() {
    [ -s "$WORK/data/first-start-link" ]
}

# walk PROFILE: an empty archive, and the whole wizard in it
walk() {
    rm -rf "$WORK/data"
    start_daemon > /dev/null
    wait_until "the link" link_is_shown || bail "no link is shown"
    WEB=https://127.0.0.1:$HTTPS_PORT
    PASSWORD=Grüne-Ente-4711
    LINK=$(cat "$WORK/data/first-start-link") PROFILE=$1 in_browser setup
    stopped_well "the daemon stops when told to ($1)"
}

make_config
sed -i '/^hostname:/d' "$CONFIG"
walk desktop
make_config
walk phone
