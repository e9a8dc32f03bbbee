# lib.sh - what every system test starts with
#
#   #!/bin/bash
#   # T020: a mail answered with 250 survives kill -9
#   . "$(dirname "$0")/lib.sh"
#   plan 3
#   make_config            # settings with free ports in $WORK/mailkeep.yaml
#   start_daemon           # waits until the services listen
#   ok "it answers" curl -ks "https://127.0.0.1:$HTTPS_PORT/"
#   is "its answer" "$(some command)" "what it should be"
#   stop_daemon            # TERM, and its exit status is a test of its own: see stopped_well
#
# Each test has a directory ($WORK) and ports of its own, so that several may run at once. All
# that it started is ended, and $WORK removed, when it ends in any way. KEEP=1 keeps $WORK.
#
#   BIN_DIR           the programs (make gives it)
#   MAILKEEP_VARIANT  release, asan or tsan: waits are longer under a sanitizer
#   MAILKEEP_CORPUS   sample mails; need_corpus skips the test without them

set -u

: "${BIN_DIR:?run this with make system}"
SOURCE_DIR=${SOURCE_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
WORK=$(mktemp -d "${TMPDIR:-/tmp}/mailkeep-test.XXXXXX") || exit 1
CONFIG=$WORK/mailkeep.yaml
ADMIN_PASSWORD=Correct-Horse-7
DAEMON_PID=
DAEMON_LOG=$WORK/daemon.log
LOCKS=${TMPDIR:-/tmp}/mailkeep-test-ports

# How many tenths of a second to wait for something that should take an instant.
case ${MAILKEEP_VARIANT:-release} in
release) PATIENCE=100 ;;
*) PATIENCE=400 ;;
esac

# --- TAP ---------------------------------------------------------------------------------

test_count=0
test_failures=0
test_planned=

plan() {
    test_planned=$1
    echo "1..$1"
}

diag() {
    printf '%s\n' "$*" | sed 's/^/# /'
}

pass() {
    test_count=$((test_count + 1))
    echo "ok $test_count - $1"
}

fail() { # name, why...
    test_count=$((test_count + 1))
    test_failures=$((test_failures + 1))
    echo "not ok $test_count - $1"
    shift
    [ $# -eq 0 ] || diag "$@"
}

# ok NAME COMMAND...: the command must succeed; its output is shown when it does not.
ok() {
    local name=$1 output status
    shift
    output=$("$@" 2>&1)
    status=$?
    if [ $status -eq 0 ]; then
        pass "$name"
    else
        fail "$name" "exit status $status: $*"
        diag "$(printf '%s' "$output" | tail -n 20)"
    fi
}

# not NAME COMMAND...: the command must fail.
not() {
    local name=$1
    shift
    if "$@" > /dev/null 2>&1; then
        fail "$name" "this should have failed: $*"
    else
        pass "$name"
    fi
}

is() { # name, got, expected
    if [ "$2" = "$3" ]; then
        pass "$1"
    else
        fail "$1" "got:      $2" "expected: $3"
    fi
}

like() { # name, got, extended regular expression
    if [[ $2 =~ $3 ]]; then
        pass "$1"
    else
        fail "$1" "got:             $2" "does not match:  $3"
    fi
}

same_file() { # name, got, expected
    if cmp -s "$2" "$3"; then
        pass "$1"
    else
        fail "$1" "$(cmp "$2" "$3" 2>&1)"
    fi
}

# Nothing more can be tested; what was planned and did not run counts as failed.
bail() {
    diag "gave up: $*"
    [ ! -s "$DAEMON_LOG" ] || diag "$(tail -n 30 "$DAEMON_LOG")"
    exit 1
}

skip_all() {
    echo "1..0 # SKIP $*"
    test_planned=0
    exit 0
}

need() { # programs
    local program
    for program; do
        command -v "$program" > /dev/null || skip_all "$program is not installed"
    done
}

need_corpus() {
    [ -d "${MAILKEEP_CORPUS:-}" ] || skip_all "MAILKEEP_CORPUS is not set"
}

# --- the end -----------------------------------------------------------------------------

started=()

on_exit() {
    local status=$? pid
    trap - EXIT
    trap '' PIPE TERM INT
    for pid in ${started[@]+"${started[@]}"}; do
        kill -KILL "$pid" 2> /dev/null && wait "$pid" 2> /dev/null
    done
    rm -rf "$LOCKS"/*."$$"
    if [ $test_failures -gt 0 ] && [ -s "$DAEMON_LOG" ]; then
        diag "the daemon's last lines:"
        diag "$(tail -n 30 "$DAEMON_LOG")"
    fi
    if [ -n "${KEEP:-}" ]; then diag "kept: $WORK"; else rm -rf "$WORK"; fi
    [ $test_failures -eq 0 ] || status=1
    exit $status
}
trap on_exit EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# background COMMAND...: starts a program that is ended with the test; its pid is in $!.
background() {
    "$@" &
    started+=("$!")
}

# --- waiting -----------------------------------------------------------------------------

# wait_until WHAT COMMAND...: tries ten times a second, for as long as PATIENCE says.
wait_until() {
    local what=$1 i
    shift
    for ((i = 0; i < PATIENCE; i++)); do
        "$@" > /dev/null 2>&1 && return 0
        sleep 0.1
    done
    diag "waited in vain for $what"
    return 1
}

port_is_open() {
    (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null
}

wait_for_port() {
    wait_until "port $1" port_is_open "$1"
}

# --- ports -------------------------------------------------------------------------------

# free_port NAME: a port nobody listens on, for this test alone, in the variable NAME.
# Below the kernel's range for outgoing connections, so that none of these takes it.
free_port() {
    local port i
    mkdir -p "$LOCKS"
    for ((i = 0; i < 1000; i++)); do
        port=$((20000 + RANDOM % 10000))
        port_is_open "$port" && continue
        # A directory can be made by one only; the pid tells whose it was.
        port_is_taken "$port" && continue
        mkdir "$LOCKS/$port.$$" 2> /dev/null || continue
        [ "$(ls -d "$LOCKS/$port".* 2> /dev/null | wc -l)" -eq 1 ] || {
            rmdir "$LOCKS/$port.$$"
            continue
        }
        printf -v "$1" '%s' "$port"
        return 0
    done
    bail "no free port"
}

# Locks of tests that were killed are thrown away.
port_is_taken() {
    local lock pid taken=1
    for lock in "$LOCKS/$1".*; do
        [ -e "$lock" ] || continue
        pid=${lock##*.}
        if kill -0 "$pid" 2> /dev/null; then taken=0; else rmdir "$lock" 2> /dev/null; fi
    done
    return $taken
}

# --- the daemon --------------------------------------------------------------------------

# make_config [LINE...]: ports, and settings in $CONFIG; the lines are put at the end (whole
# top-level sections only).
make_config() {
    free_port SMTP_PORT
    free_port SMTPS_PORT
    free_port POP3_PORT
    free_port POP3S_PORT
    free_port IMAP_PORT
    free_port IMAPS_PORT
    free_port HTTP_PORT
    free_port HTTPS_PORT
    free_port API_PORT
    free_port METRICS_PORT
    cat > "$CONFIG" << END
hostname: archive.example.com
data_dir: $WORK/data
log: {level: ${LOG_LEVEL:-info}}
services:
  smtp:    {enabled: true, listen: "127.0.0.1:$SMTP_PORT"}
  smtps:   {enabled: true, listen: "127.0.0.1:$SMTPS_PORT"}
  pop3:    {enabled: true, listen: "127.0.0.1:$POP3_PORT"}
  pop3s:   {enabled: true, listen: "127.0.0.1:$POP3S_PORT"}
  imap:    {enabled: true, listen: "127.0.0.1:$IMAP_PORT"}
  imaps:   {enabled: true, listen: "127.0.0.1:$IMAPS_PORT"}
  http:    {enabled: true, listen: "127.0.0.1:$HTTP_PORT"}
  https:   {enabled: true, listen: "127.0.0.1:$HTTPS_PORT"}
  api:     {enabled: true, listen: "127.0.0.1:$API_PORT"}
  metrics: {enabled: true, listen: "127.0.0.1:$METRICS_PORT"}
END
    [ $# -eq 0 ] || printf '%s\n' "$@" >> "$CONFIG"
}

# init_data: a new data directory whose administrator's password is $ADMIN_PASSWORD.
init_data() {
    printf '%s\n' "$ADMIN_PASSWORD" > "$WORK/admin-password"
    "$BIN_DIR/mailkeep" init --config "$CONFIG" --admin-password-file "$WORK/admin-password" \
        > "$WORK/init.log" 2>&1 || bail "mailkeep init failed: $(cat "$WORK/init.log")"
}

# start_daemon [PORT...]: starts it and waits for these ports, or for HTTPS.
start_daemon() {
    local port
    "$BIN_DIR/mailkeepd" --config "$CONFIG" >> "$DAEMON_LOG" 2>&1 &
    DAEMON_PID=$!
    started+=("$DAEMON_PID")
    [ $# -gt 0 ] || set -- "$HTTPS_PORT"
    for port; do
        wait_until "port $port" daemon_listens "$port" || bail "the daemon does not listen"
        kill -0 "$DAEMON_PID" 2> /dev/null || bail "the daemon ended at once"
    done
}

# A daemon that has ended will not listen any more: no need to wait on.
daemon_listens() {
    kill -0 "$DAEMON_PID" 2> /dev/null || return 0
    port_is_open "$1"
}

daemon_is_gone() {
    ! kill -0 "$DAEMON_PID" 2> /dev/null
}

# stop_daemon [SIGNAL]: default TERM; the daemon's exit status is the function's.
stop_daemon() {
    local status i
    [ -n "$DAEMON_PID" ] || return 0
    kill "-${1:-TERM}" "$DAEMON_PID" 2> /dev/null
    wait_until "the daemon's end" daemon_is_gone || kill -KILL "$DAEMON_PID" 2> /dev/null
    wait "$DAEMON_PID" 2> /dev/null
    status=$?
    for i in "${!started[@]}"; do
        [ "${started[i]}" != "$DAEMON_PID" ] || unset "started[i]"
    done
    DAEMON_PID=
    return $status
}

kill_daemon() {
    stop_daemon KILL
    return 0
}

# stopped_well [NAME]: a test that it stops when told to, with status 0 and, under a
# sanitizer, without a report.
stopped_well() {
    local name=${1:-the daemon stops when told to}
    if stop_daemon; then
        if grep -qE 'ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSan|runtime error' "$DAEMON_LOG"
        then fail "$name" "a sanitizer reported something"; else pass "$name"; fi
    else
        fail "$name" "exit status $?"
    fi
}

# api FUNCTION [NAME=VALUE...]: calls the Administration API as admin, prints the answer.
api() {
    local function=$1 arguments=() argument
    shift
    for argument; do
        arguments+=(--data-urlencode "$argument")
    done
    [ $# -gt 0 ] || arguments=(--data '')
    curl -ksS --max-time 60 -u "admin:$ADMIN_PASSWORD" "${arguments[@]}" \
        "https://127.0.0.1:$API_PORT/api/invoke/$function"
}

# json FILTER: reads JSON, prints what a Python expression on d makes of it.
json() {
    python3 -c 'import json, sys; d = json.load(sys.stdin); v = eval(sys.argv[1]); print(
        v if isinstance(v, str) else json.dumps(v, ensure_ascii=False))' "$1"
}
