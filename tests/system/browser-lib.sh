# browser-lib.sh - what the tests in a browser share: an archive, Chromium, and a script for Node.js
#
#   . "$(dirname "$0")/browser-lib.sh"
#   need_browser           # skips the test where Chromium or Node.js are missing
#   begin_archive          # web-lib.sh
#   in_browser reading     # runs tests/browser/reading.mjs; each of its tests is one of ours
#
# The script says "ok - NAME", "not ok - NAME" and "# ..." (tests/browser/tap.mjs).

. "$(dirname "${BASH_SOURCE[0]}")/web-lib.sh"

BROWSER_TESTS=$SOURCE_DIR/tests/browser
BROWSER_PACKAGES=$SOURCE_DIR/build/browser

# One test at a time installs; the others wait and find it done.
install_browser_packages() {
    mkdir -p "$BROWSER_PACKAGES"
    (
        flock 9
        cd "$BROWSER_PACKAGES" || exit 1
        cmp -s "$BROWSER_TESTS/package-lock.json" packages.stamp && exit 0
        cp "$BROWSER_TESTS"/package*.json "$BROWSER_TESTS/.npmrc" .
        npm ci --ignore-scripts --fetch-retries=1 > npm.log 2>&1 && cp package-lock.json packages.stamp
    ) 9> "$BROWSER_PACKAGES/lock"
}

# The pages are the same under a sanitizer, and slow: two scripts are enough to drive the daemon.
need_browser() {
    case ${MAILKEEP_VARIANT:-release}:${0##*/} in
    release:* | asan:T410-* | asan:T420-*) ;;
    *) skip_all "the release variant runs it" ;;
    esac
    need node npm flock chromium
    [ ! -e "$SOURCE_DIR/build/web/placeholder" ] || skip_all "the web application is not built"
    install_browser_packages || skip_all "npm cannot fetch what the tests need"
}

# tests in a script, for plan: the script itself counts them, since some are made from tables
tests_in() {
    (cd "$BROWSER_PACKAGES" &&
        COUNT=1 WEB=https://127.0.0.1 PACKAGES=$BROWSER_PACKAGES node "$BROWSER_TESTS/$1.mjs")
}

in_browser() {
    local line seen=0 planned
    planned=$(tests_in "$1")
    while IFS= read -r line; do
        case $line in
        'ok - '*) pass "${line#ok - }"; seen=$((seen + 1)) ;;
        'not ok - '*) fail "${line#not ok - }"; seen=$((seen + 1)) ;;
        *) diag "${line#\# }" ;;
        esac
    done < <(cd "$BROWSER_PACKAGES" &&
        WEB=$WEB PASSWORD=$PASSWORD ADMIN_PASSWORD=$ADMIN_PASSWORD OUT_DIR=$WORK \
        PACKAGES=$BROWSER_PACKAGES timeout 280 node "$BROWSER_TESTS/$1.mjs" 2>&1)
    [ "$seen" -eq "$planned" ] || bail "tests/browser/$1.mjs ended early"
}

# send_mails FOLDER: all of tests/browser/mails/FOLDER, as line ends are on the wire.
send_mails() {
    local mail
    for mail in "$BROWSER_TESTS/mails/$1"/*.eml; do
        sed 's/$/\r/' "$mail" > "$WORK/mail.eml"
        send_mail "$WORK/mail.eml"
    done
}
