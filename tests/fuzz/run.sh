#!/bin/bash
#
# run.sh - a short run of each fuzz target from its seeds
#
#   tests/fuzz/run.sh PROGRAM...     FUZZ_SECONDS each, default 10; JOBS at a time
#
# New inputs go to build/fuzz/corpus/<target>/ and are used by the next run. An input that
# fails is left in build/fuzz/finds/: make it a seed and a unit test's case.
#
set -u
cd "$(dirname "$0")/../.." || exit 1

seconds=${FUZZ_SECONDS:-10}
jobs=${JOBS:-2}
out=$PWD/build/fuzz
mkdir -p "$out/finds" "$out/log"

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=1}
export LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=$PWD/tests/lsan.supp:print_suppressions=0}
export G_SLICE=always-malloc
export seconds out

run_one() {
    local program=$1 target corpus options
    target=$(basename "$program")
    corpus=$out/corpus/$target
    options=
    mkdir -p "$corpus" "tests/fuzz/seeds/$target"
    [ ! -e "tests/fuzz/$target.dict" ] || options="-dict=tests/fuzz/$target.dict"
    # shellcheck disable=SC2086 # no option or one
    timeout -k 5 $((seconds * 4 + 60)) "$program" -max_total_time="$seconds" -timeout=10 \
        -rss_limit_mb=2048 -artifact_prefix="$out/finds/$target-" -print_final_stats=1 $options \
        "$corpus" "tests/fuzz/seeds/$target" > "$out/log/$target" 2>&1
    local status=$?
    if [ $status -ne 0 ]; then
        echo "--- FAILED fuzz $target (exit status $status, log build/fuzz/log/$target)"
        tail -n 30 "$out/log/$target" | cut -c -200
        return 1
    fi
    echo "fuzz $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$out/log/$target") runs"
}
export -f run_one

[ $# -gt 0 ] || { echo "fuzz: no targets"; exit 0; }
printf '%s\0' "$@" | xargs -0 -n 1 -P "$jobs" bash -c 'run_one "$1"' run_one
status=$?
rmdir tests/fuzz/seeds/* 2> /dev/null
exit $((status != 0))
