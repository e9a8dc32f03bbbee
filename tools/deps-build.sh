#!/bin/bash
#
# deps-build.sh - build, as static libraries, what the Debian release lacks
#
#   tools/deps-build.sh PREFIX LIBRARY...     mbedtls llhttp lmdb yyjson gmime
#
# Sources come from a newer Debian release through the mirror that this machine already
# uses, checked by apt against the archive's signing key. The machine's own apt sources
# and lists stay as they are: apt works on a private set of folders below PREFIX/work.
# Each finished library leaves PREFIX/stamp/<library>, so that a second run does nothing.
#
#   DEBIAN_MIRROR   base address of a Debian mirror, when apt's configuration has none
#   DEPS_CFLAGS     added behind the usual flags, e.g. -fsanitize=thread
#   JOBS            parallel jobs of each make, default: all cores
#
set -euo pipefail
# Our own make's options and variables are not meant for the libraries' makefiles.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL CC CFLAGS CPPFLAGS LDFLAGS LIBS

source_suite=trixie
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die() { echo "deps: $*" >&2; exit 1; }
say() { echo "deps: $*"; }

[ $# -ge 2 ] || die "usage: deps-build.sh PREFIX LIBRARY..."
mkdir -p "$1"
prefix=$(cd "$1" && pwd)
shift
work=$prefix/work
jobs=${JOBS:-$(nproc)}
cflags="-O2 -g -fPIC -fstack-protector-strong ${DEPS_CFLAGS:-}"
case ${DEPS_CFLAGS:-} in
*-fsanitize*) ;; # fortified calls hide the plain ones that a sanitizer intercepts
*) cflags="$cflags -D_FORTIFY_SOURCE=2" ;;
esac

# --- apt on folders of its own ----------------------------------------------------------

find_mirror() {
    local codename
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    apt-get indextargets --format '$(REPO_URI)' \
        'Created-By: Packages' "Codename: $codename" 'Component: main' | sed -n 1p
}

apt_prepare() {
    local mirror
    mirror=${DEBIAN_MIRROR:-$(find_mirror)}
    [ -n "$mirror" ] || die "no Debian mirror configured: set DEBIAN_MIRROR"
    [ -r "$keyring" ] || die "$keyring is missing: install debian-archive-keyring"
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    cat > "$work/suite.sources" << END
Types: deb deb-src
URIs: $mirror
Suites: $source_suite
Components: main
Signed-By: $keyring
END
    cat > "$work/apt.conf" << END
Dir::Etc::sourcelist "$work/suite.sources";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Sandbox::User "$(id -un)";
END
    export APT_CONFIG=$work/apt.conf
    cd "$work"
    apt-get -qq update
}

# The upstream tarball alone is fetched: it holds all generated files and needs no patches.
unpack_source() { # name; leaves the tree in ./name
    apt-get -qq source --download-only --tar-only --only-source "$1"
    mkdir "$1"
    tar -xf "$1"_*.orig.tar.* -C "$1" --strip-components=1
}

# --- the libraries ----------------------------------------------------------------------

compile() { # object, source
    # shellcheck disable=SC2086 # flags are words
    cc $cflags -pthread -c "$2" -o "$1"
}

build_mbedtls() {
    unpack_source mbedtls
    # Threading changes the size of structs. It is switched on in the installed header,
    # so that the library and its users cannot disagree about it.
    sed -i -E -e 's,^//(#define MBEDTLS_THREADING_(C|PTHREAD))$,\1,' \
        -e 's,^#define MBEDTLS_SELF_TEST$,//&,' mbedtls/include/mbedtls/mbedtls_config.h
    make -s -j"$jobs" -C mbedtls/library static CFLAGS="$cflags"
    cp -R mbedtls/include/mbedtls mbedtls/include/psa "$prefix/include/"
    cp mbedtls/library/libmbed*.a "$prefix/lib/"
}

# Debian's package has the C files that upstream generates with TypeScript, compiled.
# It is plain C on libc's oldest symbols, so the newer release's archive links here as well.
build_llhttp() {
    apt-get -qq download libllhttp-dev
    dpkg-deb -x libllhttp-dev_*.deb llhttp
    cp llhttp/usr/include/llhttp.h "$prefix/include/"
    cp llhttp/usr/lib/*/libllhttp.a "$prefix/lib/"
}

build_lmdb() {
    unpack_source lmdb
    local dir=lmdb/libraries/liblmdb
    compile mdb.o $dir/mdb.c
    compile midl.o $dir/midl.c
    ar rcs "$prefix/lib/liblmdb.a" mdb.o midl.o
    cp $dir/lmdb.h "$prefix/include/"
}

build_yyjson() {
    unpack_source yyjson
    compile yyjson.o yyjson/src/yyjson.c
    ar rcs "$prefix/lib/libyyjson.a" yyjson.o
    cp yyjson/src/yyjson.h "$prefix/include/"
}

# Documentation, introspection and Vala bindings are taken out of the build, since their
# tools are not needed for a static library.
build_gmime() {
    unpack_source gmime
    (
        cd gmime
        touch ChangeLog README
        sed -i -e 's/^GTK_DOC_CHECK.*/AM_CONDITIONAL([ENABLE_GTK_DOC],[false])/' \
            -e 's/^GOBJECT_INTROSPECTION_CHECK.*/AM_CONDITIONAL([HAVE_INTROSPECTION],[false])/' \
            -e 's/^VAPIGEN_CHECK.*/AM_CONDITIONAL([ENABLE_VAPIGEN],[false])/' \
            -e '/^docs\//d' configure.ac
        sed -i 's/^SUBDIRS = .*/SUBDIRS = util gmime/' Makefile.am
        autoreconf -fi
        ./configure --disable-shared --enable-static --enable-crypto=no --with-pic \
            CFLAGS="$cflags"
        make -s -j"$jobs"
    )
    mkdir -p "$prefix/include/gmime"
    cp gmime/gmime/*.h "$prefix/include/gmime/"
    cp gmime/gmime/.libs/libgmime-3.0.a "$prefix/lib/"
}

# --- what is missing, one after the other -----------------------------------------------

todo=
for library; do
    case $library in
    mbedtls | llhttp | lmdb | yyjson | gmime) ;;
    *) die "unknown library: $library" ;;
    esac
    [ -e "$prefix/stamp/$library" ] || todo="$todo $library"
done
[ -n "$todo" ] || exit 0

rm -rf "$work"
mkdir -p "$work" "$prefix/include" "$prefix/lib" "$prefix/stamp"
say "fetching the package index"
apt_prepare

for library in $todo; do
    log=$prefix/$library.log
    say "building $library"
    # A subshell of its own: "set -e" would be off inside a condition.
    set +e
    (set -e; cd "$work"; "build_$library") > "$log" 2>&1
    status=$?
    set -e
    if [ $status -ne 0 ]; then
        tail -n 40 "$log" >&2
        die "$library could not be built; the whole log is $log"
    fi
    rm -f "$log"
    : > "$prefix/stamp/$library"
done
cd /
rm -rf "$work"
say "ready: $prefix"
