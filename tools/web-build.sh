#!/bin/bash
#
# web-build.sh - the web application from web/ as one C file; called by make
#
#   tools/web-build.sh OUT_DIR           OUT_DIR/assets_table.c
#   tools/web-build.sh --check OUT_DIR   types and accessibility rules of the sources; for make lint
#
# OUT_DIR gets a copy of web/ with node_modules beside it, so that nothing is made in the source tree.
# Packages come by `npm ci` and only when the lock file changed. Without Node.js, or when its
# packages cannot be had, a page that says so takes the application's place, OUT_DIR/placeholder
# stands for that, and the next make tries again.
#
set -euo pipefail

node_lowest=18
check=no
if [ "$1" = --check ]; then check=yes; shift; fi
out=$1
source=$(cd "$(dirname "$0")/../web" && pwd)
mkdir -p "$out"
out=$(cd "$out" && pwd)

say() { echo "web: $*" >&2; }

has_node() {
    command -v npm > /dev/null && command -v node > /dev/null &&
        [ "$(node -p 'process.versions.node.split(".")[0]')" -ge "$node_lowest" ]
}

copy_sources() {
    find "$out" -mindepth 1 -maxdepth 1 ! -name node_modules ! -name '*.stamp' ! -name dist \
        ! -name placeholder ! -name assets_table.c -exec rm -rf {} +
    cp -R "$source/." "$out/"
}

install_packages() {
    cmp -s "$out/package-lock.json" "$out/packages.stamp" && return 0
    rm -f "$out/packages.stamp"
    (cd "$out" && npm ci --ignore-scripts --prefer-offline --no-progress --fetch-retries=1 \
        --fetch-retry-mintimeout=1000) > "$out/npm.log" 2>&1 || return 1
    cp "$out/package-lock.json" "$out/packages.stamp"
}

# Why the application is not to be had; nothing when it is.
prepare() {
    if ! has_node; then
        echo "Node.js $node_lowest or later with npm is missing (make deps installs it)."
    elif ! install_packages; then
        echo "npm could not fetch the packages that are needed ($out/npm.log says why)."
    fi
}

placeholder() {
    rm -rf "$out/dist"
    mkdir -p "$out/dist"
    cat > "$out/dist/index.html" << 'HTML'
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Mailkeep</title></head>
<body>
<h1>Mailkeep</h1>
<p>This server was built without its web application: Node.js or its packages were not to be had.
Its JSON API is at <code>/api/v1/</code>.</p>
</body>
</html>
HTML
    touch "$out/placeholder"
}

# --- the C file ----------------------------------------------------------------------------

media_type() {
    case $1 in
    *.html) echo 'text/html; charset=utf-8' ;;
    *.js) echo 'text/javascript; charset=utf-8' ;;
    *.css) echo 'text/css; charset=utf-8' ;;
    *.svg) echo 'image/svg+xml' ;;
    *.png) echo 'image/png' ;;
    *.woff2) echo 'font/woff2' ;;
    *.txt) echo 'text/plain; charset=utf-8' ;;
    *.webmanifest) echo 'application/manifest+json' ;;
    *) say "no media type is known for $1"; return 1 ;;
    esac
}

# One file's octets, plain and packed, between two labels each.
embed() { # label, file
    printf '__asm__(".section .rodata\\n.balign 16\\n"\n'
    printf '        "%s: .incbin \\"%s\\"\\n%s_end:\\n"\n' "$1" "$2" "$1"
    printf '        "%s_gz: .incbin \\"%s.gz\\"\\n%s_gz_end:\\n.previous\\n");\n' "$1" "$2" "$1"
    printf '__attribute__((visibility("hidden"))) extern const unsigned char %s[], %s_end[], %s_gz[], %s_gz_end[];\n' \
        "$1" "$1" "$1" "$1"
}

# Sorted by path in the C locale, since it is searched by halves.
table() {
    local path number=0 rows='' type hash
    printf '/* Made by tools/web-build.sh. */\n#include "src/web/assets.h"\n\n'
    while read -r path; do
        number=$((number + 1))
        type=$(media_type "$path")
        hash=$(sha256sum "$out/dist$path" | cut -c 1-32)
        embed "mk_asset_$number" "$out/dist$path"
        rows+="    { \"$path\", \"$type\", \"\\\"$hash\\\"\","
        rows+=" mk_asset_$number, mk_asset_${number}_end, mk_asset_${number}_gz, mk_asset_${number}_gz_end },"$'\n'
    done < <(cd "$out/dist" && find . -type f ! -name '*.gz' -printf '/%P\n' | LC_ALL=C sort)
    printf '\nconst WebAsset web_asset_table[] = {\n%s};\n' "$rows"
    printf 'const size_t web_asset_count = %d;\n' "$number"
}

write_table() {
    find "$out/dist" -type f ! -name '*.gz' -exec gzip -9 -n -k -f {} +
    table > "$out/assets_table.c.new"
    mv "$out/assets_table.c.new" "$out/assets_table.c"
}

copy_sources
why=$(prepare)
if [ $check = yes ]; then
    [ -z "$why" ] || { say "not checked: $why"; exit 0; }
    cd "$out" && exec npm run --silent check
fi
rm -f "$out/placeholder"
if [ -n "$why" ]; then
    say "$why"
    say "mailkeepd gets a page that says so instead of the web application."
    placeholder
elif ! (cd "$out" && npm run --silent build) > "$out/build.log" 2>&1; then
    cat "$out/build.log" >&2
    exit 1
fi
write_table
