#!/bin/bash
# T400: the web application's files: policies, caching, packing, size; both languages have all texts
. "$(dirname "$0")/web-lib.sh"
[ ! -e "$SOURCE_DIR/build/web/placeholder" ] || skip_all "the web application is not built"
mapfile -t GERMAN < <(find "$SOURCE_DIR/web/src" -path '*/locales/*de.ts' | sort)
plan $((30 + 2 * ${#GERMAN[@]}))
begin_archive

# --- the page ----------------------------------------------------------------------------------
is "the page" "$(web GET / --compressed)" 200
cp "$WORK/body" "$WORK/page"
POLICY=$(field Content-Security-Policy)
like "allows nothing that is not named" "$POLICY" "default-src 'none'"
like "runs its own scripts only" "$POLICY" "script-src 'self';"
like "has its own styles only" "$POLICY" "style-src 'self';"
like "is in no frame" "$POLICY" "frame-ancestors 'none'"
like "posts no form" "$POLICY" "form-action 'none'"
not "and allows nothing inline" grep -q unsafe <<< "$POLICY"
is "is in no cache" "$(field Cache-Control)" no-store
is "is packed for those who can" "$(field Content-Encoding)" gzip
is "and differs by that" "$(field Vary)" Accept-Encoding
is "unpacked" "$(web GET /)" 200
is "is not packed" "$(field Content-Encoding)" ""
same_file "and the same" "$WORK/body" "$WORK/page"
for view in /folder/zoe/Journal%20Incoming '/search?q=x' /message/1:1; do
    web GET "$view" > "$WORK/status"
    same_file "is at $view too" "$WORK/body" "$WORK/page"
done
is "it takes no POST" "$(web POST /search)" 404
is "elsewhere there is nothing" "$(web GET /none.js)" 404

# --- files with their content's hash in the name -------------------------------------------------
SCRIPT=$(grep -o '/assets/[^"]*\.js' "$WORK/page" | head -n 1)
is "its script" "$(web GET "$SCRIPT" -H 'Accept-Encoding: gzip')" 200
like "may be kept for ever" "$(field Cache-Control)" 'max-age=31536000, immutable'
like "is a script" "$(field Content-Type)" '^text/javascript'
is "is not sent again" "$(web GET "$SCRIPT" -H "If-None-Match: $(field ETag)")" 304
is "HEAD" "$(web HEAD "$SCRIPT")" 200

# --- the page around a mail's HTML ----------------------------------------------------------------
is "the frame" "$(web GET /frame.html)" 200
like "is in frames of this site only" "$(field Content-Security-Policy)" "frame-ancestors 'self'"
like "and runs its own scripts only" "$(field Content-Security-Policy)" "script-src 'self';"

# --- sizes, of what goes over the wire -------------------------------------------------------------
DIST=$SOURCE_DIR/build/web/dist
WHOLE=$(find "$DIST" -name '*.gz' -exec cat {} + | wc -c)
ok "all of it is less than 250 KiB ($WHOLE)" test "$WHOLE" -lt $((250 * 1024))
FIRST=$(grep -o '/assets/[^"]*' "$DIST/index.html" | sort -u | sed "s,.*,$DIST&.gz," | xargs cat "$DIST/index.html.gz" | wc -c)
ok "the first view is less than 100 KiB ($FIRST)" test "$FIRST" -lt $((100 * 1024))

# --- texts ------------------------------------------------------------------------------------------
# A part that is loaded by itself has its own folder; "smtp-de.ts" stands beside "smtp-en.ts".
keys() { grep -oE "^  ('[^']+'|[A-Za-z][A-Za-z0-9]*):" "$1" | tr -d "' :" | sort; }
for german in "${GERMAN[@]}"; do
    english=${german%de.ts}en.ts
    keys "$german" > "$WORK/de"
    keys "$english" > "$WORK/en"
    ok "${german#"$SOURCE_DIR"/web/src/} has texts" test -s "$WORK/de"
    same_file "and English the same ones" "$WORK/de" "$WORK/en"
done
is "no language stands alone" "$(find "$SOURCE_DIR/web/src" -path '*/locales/*.ts' | wc -l)" $((2 * ${#GERMAN[@]}))
stopped_well
