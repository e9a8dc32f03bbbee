#!/bin/bash
# T130: clients that are too long, ill-formed, slow, many or cut off do not hurt the HTTPS port
. "$(dirname "$0")/web-lib.sh"
need openssl
plan 26
begin_archive

long() { # octets
    head -c "$1" /dev/zero | tr '\0' a
}

# talk REQUEST: the status of the answer to these octets, through TLS.
talk() {
    printf "$1" | timeout "$((PATIENCE / 5))" openssl s_client -quiet -ign_eof -connect "127.0.0.1:$HTTPS_PORT" \
        2> "$WORK/tls" | head -n 1 | cut -d ' ' -f 2
}

# --- too long ------------------------------------------------------------------------------
is "a target of 17 KiB" "$(web GET "/$(long 17000)")" 414
is "a field of 40 KiB" "$(web GET / -H "X: $(long 40000)")" 431
fields=()
for ((i = 0; i < 110; i++)); do fields+=(-H "X-$i: y"); done
is "110 fields" "$(web GET / "${fields[@]}")" 431
long 1100000 > "$WORK/long"
is "a body above 1 MiB" "$(as zoe POST /api/v1/invoke/GetServerInfo --data-binary "@$WORK/long")" 413
is "the same in chunks" "$(as zoe POST /api/v1/invoke/GetServerInfo -H 'Transfer-Encoding: chunked' \
    --data-binary "@$WORK/long")" 413
is "a name of 300 octets" "$(web POST /api/v1/session -H 'Content-Type: application/json' \
    -d "{\"userName\":\"$(long 300)\",\"password\":\"x\"}")" 400
is "a query of 5000 octets" "$(as zoe GET "/api/v1/search?q=$(long 5000)")" 422
like "an error of the protocol is safe too" "$(web GET "/$(long 17000)"; cat "$WORK/head")" nosniff

# --- ill-formed ----------------------------------------------------------------------------
is "well-formed" "$(talk 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')" 200
is "no host" "$(talk 'GET / HTTP/1.1\r\n\r\n')" 400
is "two hosts" "$(talk 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n')" 400
is "bare line feeds" "$(talk 'GET / HTTP/1.1\nHost: a\n\n')" 400
is "two lengths" "$(talk 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab')" 400
is "length and chunks" "$(talk 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')" 400
is "chunks on 1.0" "$(talk 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')" 400
is "HTTP/2" "$(talk 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')" 505
is "a NUL in the path" "$(web GET /%00)" 400
is "not UTF-8" "$(web GET '/?q=%ff')" 400
is "clear text on the TLS port" "$(curl -s -o "$WORK/body" -w '%{http_code}' "http://127.0.0.1:$HTTPS_PORT/")" 000

# --- many, silent, cut off --------------------------------------------------------------------
silent=()
for ((i = 0; i < 100; i++)); do
    exec {fd}<> "/dev/tcp/127.0.0.1/$HTTPS_PORT" && silent+=("$fd")
done
is "a hundred silent ones are there" "${#silent[@]}" 100
is "and others are served" "$(as zoe GET /api/v1/folders)" 200
for fd in "${silent[@]}"; do exec {fd}>&-; done
for ((i = 0; i < 20; i++)); do
    curl -ks --max-time 0.05 -u "zoe:$PASSWORD" -o "$WORK/cut" "$WEB/api/v1/search?q=a" &
done
wait $(jobs -p | grep -vx "$DAEMON_PID")
is "those that left early do no harm" "$(as zoe GET /api/v1/search)" 200
seq 1 40 | sed "s,.*,url=$WEB/api/v1/session," > "$WORK/urls"
curl -ksS --parallel --parallel-max 20 -u "zoe:$PASSWORD" -K "$WORK/urls" -w '%{http_code}\n' \
    -o "$WORK/many" 2> "$WORK/many-errors" > "$WORK/statuses" || true
is "twenty at a time" "$(grep -c '^.*200$' "$WORK/statuses")" 40
is "one connection for several" "$(curl -ksS -u "zoe:$PASSWORD" -o "$WORK/a" -o "$WORK/b" \
    -w '%{num_connects} ' "$WEB/api/v1/session" "$WEB/api/v1/session")" "1 0 "
is "resident memory stays below 256 MiB" \
    "$(awk '/VmRSS/ { print ($2 < 262144 || "'"$MAILKEEP_VARIANT"'" != "release") }' "/proc/$DAEMON_PID/status")" 1
stopped_well
