#!/bin/bash
# T100: logging in to the web API: cookie, CSRF token, Basic, logging out, and the answers' fields
. "$(dirname "$0")/web-lib.sh"
plan 44
begin_archive
JAR=$WORK/jar

# --- logging in ----------------------------------------------------------------------------
is "nobody is logged in" "$(web GET /api/v1/session)" 401
like "a browser is not asked for Basic" "$(field WWW-Authenticate)" '^Session '
like "the error is JSON" "$(cat "$WORK/body")" '^\{"error":\{"code":"auth","message":"[^"]+"\}\}$'
is "a wrong password" "$(web POST /api/v1/session -H 'Content-Type: application/json' \
    -d '{"userName":"zoe","password":"Wrong-Horse-1"}')" 401
is "gives no cookie" "$(field Set-Cookie)" ""
cp "$WORK/body" "$WORK/wrong"
is "an unknown user" "$(web POST /api/v1/session -H 'Content-Type: application/json' \
    -d '{"userName":"nobody","password":"Wrong-Horse-1"}')" 401
same_file "is told nothing else" "$WORK/body" "$WORK/wrong"
is "a form is refused" "$(web POST /api/v1/session -d "userName=zoe&password=$PASSWORD")" 400
is "no JSON is refused" "$(web POST /api/v1/session -H 'Content-Type: application/json' -d '{')" 400
is "the right password" "$(log_in zoe "$JAR")" 200
like "the cookie is safe" "$(field Set-Cookie)" \
    '^mk_session=[0-9a-f]{64}; Path=/; HttpOnly; Secure; SameSite=Strict$'
is "the user's name" "$(value userName)" zoe
is "is no administrator" "$(value isAdmin)" false
CSRF=$(value csrfToken)
like "a CSRF token" "$CSRF" '^[0-9a-f]{32,}$'
is "who am I" "$(web GET /api/v1/session -b "$JAR")" 200
is "gives the same token" "$(value csrfToken)" "$CSRF"

# --- CSRF ----------------------------------------------------------------------------------
invoke=/api/v1/invoke/GetServerInfo
is "changing needs the token" "$(web POST $invoke -b "$JAR" -d '')" 403
is "a wrong token" "$(web POST $invoke -b "$JAR" -H "X-CSRF-Token: ${CSRF/[0-9a-f]/x}" -d '')" 403
is "an empty token" "$(web POST $invoke -b "$JAR" -H 'X-CSRF-Token;' -d '')" 403
is "the right token" "$(web POST $invoke -b "$JAR" -H "X-CSRF-Token: $CSRF" -d '')" 200
is "a token without a session" "$(web POST $invoke -H "X-CSRF-Token: $CSRF" -d '')" 401
is "reading needs none" "$(web GET /api/v1/folders -b "$JAR")" 200
is "Basic needs none" "$(as zoe POST $invoke -d '')" 200
is "a valid cookie counts before Basic" "$(as zoe POST $invoke -b "$JAR" -d '')" 403
is "an invalid cookie does not" "$(as zoe POST $invoke -H 'Cookie: mk_session=0' -d '')" 200
is "Basic from another site" "$(as zoe POST $invoke -H 'Sec-Fetch-Site: cross-site' -d '')" 403
is "wrong Basic" "$(web GET /api/v1/folders -u zoe:Wrong-Horse-1)" 401
like "is asked for again" "$(field WWW-Authenticate)" '^Basic realm='

# --- a new login ends the old session -------------------------------------------------------
cp "$JAR" "$WORK/old-jar"
is "logging in again" "$(log_in zoe "$JAR" -b "$JAR")" 200
is "by somebody else with the old cookie" \
    "$(web POST /api/v1/session -b "$WORK/old-jar" -H 'Content-Type: application/json' \
        -d "{\"userName\":\"lisa\",\"password\":\"$PASSWORD\"}")" 200
is "ends the old session" "$(web GET /api/v1/session -b "$WORK/old-jar")" 401
is "and no other" "$(web GET /api/v1/session -b "$JAR")" 200
CSRF=$(value csrfToken)

# --- logging out -----------------------------------------------------------------------------
is "logging out needs the token" "$(web DELETE /api/v1/session -b "$JAR")" 403
is "logging out" "$(web DELETE /api/v1/session -b "$JAR" -H "X-CSRF-Token: $CSRF")" 204
like "takes the cookie away" "$(field Set-Cookie)" '^mk_session=; Max-Age=0;'
is "the cookie is worth nothing now" "$(web GET /api/v1/session -b "$JAR")" 401
is "a new password" "$(log_in zoe "$JAR")" 200
api SetUserPassword userName=zoe password=Another-Horse-9 > "$WORK/out"
is "ends the sessions" "$(web GET /api/v1/session -b "$JAR")" 401

# --- every answer -------------------------------------------------------------------------------
safe() { # what the last answer's head must have
    local line
    for line in 'Cache-Control: .*no-store' 'X-Content-Type-Options: nosniff' \
        "Content-Security-Policy: default-src 'none'" 'Referrer-Policy: no-referrer' \
        'X-Frame-Options: DENY' 'Strict-Transport-Security: max-age=[1-9]'; do
        grep -qi "^$line" "$WORK/head" || { echo "no $line"; cat "$WORK/head"; return 1; }
    done
}
all_safe() {
    local call
    for call in 'GET /' 'GET /nothing' 'PUT /api/v1/session' 'GET /api/v1/session' \
        'POST /api/v1/invoke/GetServerInfo' 'GET /api/v1/search?limit=0' 'GET /%ff'; do
        as "${1:-nobody}" $call > "$WORK/status"
        safe || { echo "in $call"; return 1; }
    done
}
ok "every answer to nobody is safe" all_safe nobody
ok "every answer to a user is safe" all_safe lisa

# --- the plain port -----------------------------------------------------------------------------
is "the plain port redirects" "$(curl -sS -o "$WORK/body" -D "$WORK/head" -w '%{http_code}' \
    "http://127.0.0.1:$HTTP_PORT/a%20b?c")" 308
is "to HTTPS on the configured host" "$(field Location)" \
    "https://archive.example.com:$HTTPS_PORT/a%20b"
is "and takes no credentials" "$(curl -sS -o "$WORK/body" -w '%{http_code}' -d '{}' \
    "http://127.0.0.1:$HTTP_PORT/api/v1/session")" 403
stopped_well
