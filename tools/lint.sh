#!/bin/bash
#
# lint.sh - everything about the sources that needs no run of them; called by "make lint"
#
#   LINT_CPPFLAGS='...' tools/lint.sh FILE...     C files and headers
#
# Runs all checks, prints what they find and ends with a status other than 0 if any found
# something. A file that clang-tidy found clean is not read again until it or a header
# changes (build/lint/); LINT_ALL=1 reads all. LINT_JOBS is how many run at a time;
# LINT_NOTES=1 shows how clang-tidy came to its findings; LINT_DEEP=1 lets clang's analyzer
# walk as far as it likes, which takes four times as long.
#
# Each version of clang-format, clang-tidy and cppcheck finds something else. The sources are kept
# clean for those of Debian 12; with others these checks are left out, or done with LINT_ANY=1.
#
set -u
cd "$(dirname "$0")/.." || exit 1

jobs=${LINT_JOBS:-2}
cache=build/lint
status=0
mkdir -p "$cache/cppcheck"
[ -z "${LINT_ALL:-}" ] || rm -rf "$cache/tidy"

check() { # name, command...
    local name=$1 log=$cache/log
    shift
    if "$@" > "$log" 2>&1; then
        echo "  lint     $name"
    else
        echo "--- FAILED lint $name"
        head -n 200 "$log"
        status=1
    fi
}

# With another version than Debian 12's it says that it has not checked.
check_with() { # program, its version in Debian 12, arguments of check
    local program=$1 wanted=$2 found
    shift 2
    found=$("$program" --version 2> /dev/null | sed -nE 's/^.*(version|Cppcheck) ([0-9.]+).*/\2/p' | head -n 1)
    case ${LINT_ANY:-${found:-missing}} in
    "$wanted" | "$wanted".* | 1 | missing) check "$@" ;;
    *) echo "  lint     $1 NOT CHECKED: that needs $program $wanted, as Debian 12 has it; this is $found" ;;
    esac
}

# Shows what "make format" would change, cut short for each file.
format() {
    local file status=0
    for file; do
        clang-format "$file" | diff -u --label "$file" --label "$file (make format)" "$file" - |
            head -n 12
        [ "${PIPESTATUS[1]}" -eq 0 ] || status=1
    done
    return $status
}

# Name of the stamp that says that a file was clean.
stamp() { echo "$cache/tidy/$1.ok"; }

# The inputs of a file's check: itself, the configuration, all public and its room's headers.
is_clean() {
    local stamp
    stamp=$(stamp "$1")
    [ -e "$stamp" ] || return 1
    [ -z "$(find "$1" .clang-tidy Makefile include/mailkeep "$(dirname "$1")" \
        \( -name '*.h' -o -path "$1" -o -name .clang-tidy -o -name Makefile \) \
        -newer "$stamp" -print -quit)" ]
}

tidy_one() {
    local log shallow=(--extra-arg=-Xclang --extra-arg=-analyzer-config
        --extra-arg=-Xclang --extra-arg=max-nodes=50000)
    [ -z "${LINT_DEEP:-}" ] || shallow=()
    log=$(mktemp)
    # shellcheck disable=SC2086 # flags are words
    if clang-tidy --quiet ${shallow[@]+"${shallow[@]}"} "$1" -- $LINT_CPPFLAGS -std=gnu17 > "$log" 2> "$log.err"; then
        mkdir -p "$(dirname "$(stamp "$1")")"
        touch "$(stamp "$1")"
        rm -f "$log" "$log.err"
    else
        # Without the analyzer's long way to each finding, unless that is asked for.
        if [ -n "${LINT_NOTES:-}" ]; then cat "$log"; else grep -A 2 -E ' (error|warning): ' "$log"; fi
        # With no finding of its own it could not read the file at all.
        [ -s "$log" ] || cat "$log.err"
        rm -f "$log" "$log.err"
        return 1
    fi
}
export -f tidy_one stamp
export cache

tidy() {
    local file
    for file; do
        case $file in
        src/*.c) is_clean "$file" || printf '%s\0' "$file" ;;
        esac
    done | xargs -0 -r -n 1 -P "$jobs" bash -c 'tidy_one "$1"' tidy_one
}

# varFuncNullUB: NULL ends an argument list, and is a pointer on every system we build for.
run_cppcheck() {
    [ $# -eq 0 ] || cppcheck --quiet -j "$jobs" --cppcheck-build-dir="$cache/cppcheck" \
        --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
        --std=c11 --library=gtk --library=posix -D_GNU_SOURCE -D__GNUC__ -D'G_DEFINE_QUARK(name,prefix)=' \
        -D'G_DEFINE_EXTENDED_ERROR(name,prefix)=' -Iinclude \
        --suppress=missingInclude --suppress=missingIncludeSystem --suppress=varFuncNullUB \
        --suppress=unmatchedSuppression \
        --suppress=preprocessorErrorDirective --template=gcc "$@"
}

sources=()
for file; do
    case $file in
    src/*.c) sources+=("$file") ;;
    esac
done

check rooms tools/lint-rooms
check tree tools/lint-tree
check_with clang-format 14 format format "$@"
check_with clang-tidy 14 clang-tidy tidy "$@"
# Types, accessibility rules and our own rules of web/, when something there changed.
web() {
    local stamp=$cache/web.ok
    [ -e "$stamp" ] && [ -z "$(find web tools/web-build.sh -newer "$stamp" -print -quit)" ] && return 0
    tools/lint-web && tools/web-build.sh --check build/web && touch "$stamp"
}

check web web
check_with cppcheck 2.10 cppcheck run_cppcheck ${sources[@]+"${sources[@]}"}
exit $status
