#!/bin/bash
#
# deps.sh - everything that building, testing and linting Mailkeep needs
#
#   tools/deps.sh                      packages, then build/deps
#   tools/deps.sh --variant tsan       packages, then build/deps-tsan
#   tools/deps.sh --packages           the Debian packages only
#   tools/deps.sh bench                the programs that `make bench` compares with, only those
#
# Runs on Debian 12 and 13. Packages that are installed already are not touched, so that a
# second run needs neither root nor network. What the release lacks, or has too old, is
# built by tools/deps-build.sh into $DEPS_DIR (default build/deps or build/deps-<variant>).
#
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
variant=plain
packages_only=no
bench=no

die() { echo "deps: $*" >&2; exit 1; }
say() { echo "deps: $*"; }

while [ $# -gt 0 ]; do
    case $1 in
    --packages) packages_only=yes ;;
    bench) bench=yes ;;
    --variant) variant=${2:?--variant needs a name}; shift ;;
    *) die "unknown argument: $1" ;;
    esac
    shift
done

[ -r /etc/os-release ] || die "this step knows Debian only; install the packages by hand"
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")

build_packages=(
    build-essential pkg-config autoconf automake libtool
    libuv1-dev libsodium-dev libzstd-dev libyaml-dev libutf8proc-dev libpcre2-dev
    libroaring-dev libglib2.0-dev libidn2-dev zlib1g-dev libedit-dev
    libarchive-dev libexpat1-dev libseccomp-dev
)
# What mailkeep-extract starts, and fonts for the pages that it draws; without the programs it says
# which kinds it cannot read. For text in pictures an administrator adds tesseract-ocr and its languages. And whom other servers'
# certificates must be signed by.
run_packages=(poppler-utils fonts-liberation catdoc ca-certificates)
check_packages=(
    clang clang-format clang-tidy cppcheck git perl python3
    curl libnet-ssleay-perl oathtool openssl procps socat swaks unzip zstd
    chromium fonts-noto-core zbar-tools
)
# The web application's build; a Node.js from elsewhere is as good.
command -v npm > /dev/null && command -v node > /dev/null || build_packages+=(nodejs npm)
case $codename in
bookworm) release_packages=() ;;
*) release_packages=(libmbedtls-dev libllhttp-dev liblmdb-dev libgmime-3.0-dev) ;;
esac

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Prints those of its arguments that are not installed.
missing() {
    local package
    for package; do
        installed "$package" || echo "$package"
    done
}

# libFuzzer and clang's sanitizers are in a package named after clang's version.
clang_runtime() {
    local version
    version=$(clang -dumpversion 2>/dev/null | cut -d. -f1)
    [ -z "$version" ] || echo "libclang-rt-$version-dev"
}

apt_install() {
    [ "$(id -u)" -eq 0 ] ||
        die "these packages are missing; install them as root and run this again: $*"
    if [ -z "${apt_updated:-}" ]; then
        apt-get -qq update || die "apt-get update failed"
        apt_updated=yes
    fi
    say "installing $*"
    # With recommends off and no questions asked; the log is shown only when it failed.
    local log
    log=$(mktemp)
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" \
        > "$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; die "apt-get install failed"; }
    rm -f "$log"
}

if [ "$bench" = yes ]; then
    # Never started by their packages: make bench runs them itself. A machine that has no
    # policy of its own about that gets one for the time of the installation.
    need=$(missing postfix dovecot-core dovecot-lmtpd)
    # Those that searching is compared with; a release may lack one, and then it is left out.
    search_need=$(missing sqlite3 notmuch python3-notmuch2 sphinxsearch python3-pymysql \
        dovecot-imapd dovecot-fts-xapian)
    if [ -n "$search_need" ]; then
        apt-get -qq update && apt_updated=yes
        # shellcheck disable=SC2086 # one word per package
        need="$need $( (apt-cache -q show $search_need 2>/dev/null || true) |
            sed -n 's/^Package: //p' | sort -u | tr '\n' ' ')"
    fi
    [ -n "${need// /}" ] || exit 0
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' > "$policy"
        chmod 755 "$policy"
    fi
    # shellcheck disable=SC2086 # one word per package
    apt_install $need
    exit 0
fi

need=$(missing "${build_packages[@]}" "${run_packages[@]}" "${check_packages[@]}" \
    "${release_packages[@]}")
# shellcheck disable=SC2086 # one word per package
[ -z "$need" ] || apt_install $need
need=$(missing $(clang_runtime))
# shellcheck disable=SC2086
[ -z "$need" ] || apt_install $need

[ "$packages_only" = no ] || exit 0

# A library is taken from the release when it is new enough there, else built.
wanted() { # library, pkg-config name, lowest version
    pkg-config --atleast-version="$3" "$2" 2>/dev/null || echo "$1"
}
libraries="$(wanted mbedtls mbedtls 3.6) $(wanted llhttp libllhttp 9.2)
           $(wanted lmdb lmdb 0.9.31) $(wanted gmime gmime-3.0 3.2.15) yyjson"

case $variant in
plain)
    # shellcheck disable=SC2086
    exec "$here/deps-build.sh" "${DEPS_DIR:-$top/build/deps}" $libraries
    ;;
tsan)
    dir=${DEPS_DIR:-$top/build/deps-tsan}
    DEPS_CFLAGS="-O1 -fsanitize=thread" "$here/deps-build.sh" "$dir" mbedtls llhttp lmdb yyjson
    # GLib is not instrumented, so an instrumented GMime would only add noise: the plain one.
    plain=${dir%-tsan}
    case $libraries in
    *gmime*)
        if [ ! -e "$dir/stamp/gmime" ] && [ -e "$plain/stamp/gmime" ]; then
            cp -R "$plain/include/gmime" "$dir/include/"
            cp "$plain/lib/libgmime-3.0.a" "$dir/lib/"
            : > "$dir/stamp/gmime"
        fi
        exec "$here/deps-build.sh" "$dir" gmime
        ;;
    *)
        : > "$dir/stamp/gmime" # the release has it
        ;;
    esac
    ;;
*)
    die "unknown variant: $variant"
    ;;
esac
