#!/bin/bash
# T370: two-factor sign-in with oathtool's codes, recovery codes, app passwords, the own password
. "$(dirname "$0")/web-lib.sh"
need oathtool python3
plan 113
begin_archive
ACCOUNT=/api/v1/account

# Each has an address of its own, so that failures of one thing do not throttle the next.
FROM=127.0.0.2
from() { FROM=127.0.0.$1; }

# sign_in USER JAR PASSWORD [CODE]: prints the status; $CSRF_OF_LAST is in the body
sign_in() {
    local code=${4:+,\"code\":\"$4\"}
    web POST /api/v1/session -c "$2" -H 'Content-Type: application/json' --interface "$FROM" \
        -d "{\"userName\":\"$1\",\"password\":\"$3\"$code}"
}

# account JAR METHOD PATH [JSON]: in a session, with its CSRF token
account() {
    local jar=$1 method=$2 path=$3
    web GET /api/v1/session -b "$jar" > "$WORK/status"
    web "$method" "$ACCOUNT$path" -b "$jar" -c "$jar" --interface "$FROM" \
        -H "X-CSRF-Token: $(value csrfToken)" -H 'Content-Type: application/json' ${4:+-d "$4"}
}

problem() { value code; }
member() { json "$1" < "$WORK/body"; }
totp() { oathtool --totp -b "$SECRET" "$@"; }
basic() { web GET /api/v1/folders --interface "$FROM" -u "$1:$2"; }
api_status() { # user, password
    curl -ksS --max-time 60 -o "$WORK/body" -w '%{http_code}' -u "$1:$2" -d '' \
        "https://127.0.0.1:$API_PORT/api/invoke/GetServerInfo"
}
again() {
    stop_daemon
    start_daemon "$HTTPS_PORT" "$API_PORT"
}

# --- who may do what ---------------------------------------------------------------------------
ZOE=$WORK/zoe
SECOND=$WORK/second
is "zoe signs in" "$(sign_in zoe "$ZOE" "$PASSWORD")" 200
is "nobody has an account" "$(web GET $ACCOUNT)" 401
is "a session has" "$(account "$ZOE" GET '')" 200
is "nothing is on" "$(member '[d["twoFactor"], d["recoveryCodes"], d["appPasswords"]]')" '[false, 0, []]'
is "and the password is not for zoe to change" "$(value mayChangePassword)" false
is "one session, this one" "$(member '[s["isThis"] for s in d["sessions"]]')" '[true]'
is "Basic is not for accounts" "$(as zoe GET $ACCOUNT)" 403
is "nor for changes" "$(as zoe POST $ACCOUNT/two-factor -H 'Content-Type: application/json' \
    -d "{\"password\":\"$PASSWORD\"}")" 403
is "the CSRF token is needed" "$(web POST $ACCOUNT/two-factor -b "$ZOE" \
    -H 'Content-Type: application/json' -d "{\"password\":\"$PASSWORD\"}")" 403
is "a form is refused" "$(web GET /api/v1/session -b "$ZOE" > "$WORK/status"
    web POST $ACCOUNT/two-factor -b "$ZOE" -H "X-CSRF-Token: $(value csrfToken)" -d x=y)" 400

# --- setting it up -----------------------------------------------------------------------------
is "the password is asked for again" "$(account "$ZOE" POST /two-factor '{"password":"Wrong-Horse-1"}')" 403
is "and must be right" "$(problem)" wrong-password
is "the session goes on" "$(web GET /api/v1/session -b "$ZOE")" 200
is "no confirmation before the beginning" "$(account "$ZOE" POST /two-factor/confirm '{"code":"123456"}')" 404
is "a secret" "$(account "$ZOE" POST /two-factor "{\"password\":\"$PASSWORD\"}")" 200
SECRET=$(value secret)
like "in base32, 160 bits" "$SECRET" '^[A-Z2-7]{32}$'
is "begun is not on" "$(sign_in zoe "$SECOND" "$PASSWORD")" 200
is "a wrong code" "$(account "$ZOE" POST /two-factor/confirm '{"code":"abcdef"}')" 403
is "is told" "$(problem)" wrong-code
cp "$ZOE" "$WORK/old"
USED=$(totp)
is "oathtool's code" "$(account "$ZOE" POST /two-factor/confirm "{\"code\":\"$USED\"}")" 200
is "gives ten recovery codes" "$(member 'len(set(d["recoveryCodes"]))')" 10
mapfile -t CODES < <(member '"\n".join(d["recoveryCodes"])')
like "for typing" "${CODES[0]}" '^[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}$'
is "and a new session" "$(web GET /api/v1/session -b "$ZOE")" 200
is "the old one is over" "$(web GET /api/v1/session -b "$WORK/old")" 401
is "as is the other" "$(web GET /api/v1/session -b "$SECOND")" 401
is "it is on" "$(account "$ZOE" GET '' > "$WORK/status"; member '[d["twoFactor"], d["recoveryCodes"]]')" '[true, 10]'
is "and cannot be begun again" "$(account "$ZOE" POST /two-factor "{\"password\":\"$PASSWORD\"}")" 409

# --- signing in --------------------------------------------------------------------------------
from 3
is "the password alone" "$(sign_in zoe "$SECOND" "$PASSWORD")" 401
is "wants a code" "$(problem)" second-factor
is "and gives no cookie" "$(field Set-Cookie)" ""
is "a wrong password" "$(sign_in zoe "$SECOND" Wrong-Horse-1)" 401
is "is not told from an unknown user" "$(problem)" auth
is "a wrong password with a right code" "$(sign_in zoe "$SECOND" Wrong-Horse-1 "$(totp --now '+30 seconds')")" 401
is "looks the same" "$(problem)" auth
is "the code that switched it on" "$(sign_in zoe "$SECOND" "$PASSWORD" "$USED")" 401
is "has been used" "$(problem)" wrong-code
is "a code from an hour ago" "$(sign_in zoe "$SECOND" "$PASSWORD" "$(totp --now '-1 hour')")" 401
NEXT=$(totp --now '+30 seconds')
is "the next code" "$(sign_in zoe "$SECOND" "$PASSWORD" "$NEXT")" 200
is "is good for a session" "$(web GET /api/v1/folders -b "$SECOND")" 200
is "and is good once" "$(sign_in zoe "$WORK/third" "$PASSWORD" "$NEXT")" 401
is "a recovery code" "$(sign_in zoe "$WORK/third" "$PASSWORD" "${CODES[0]}")" 200
is "is good once" "$(sign_in zoe "$WORK/third" "$PASSWORD" "${CODES[0]}")" 401
is "in capitals, with blanks" "$(sign_in zoe "$WORK/third" "$PASSWORD" "$(tr 'a-z-' 'A-Z ' <<< "${CODES[1]}")")" 200
is "eight are left" "$(account "$ZOE" GET '' > "$WORK/status"; value recoveryCodes)" 8
again
is "a restart forgets no step" "$(sign_in zoe "$ZOE" "$PASSWORD" "$NEXT")" 401
is "no recovery code" "$(sign_in zoe "$ZOE" "$PASSWORD" "${CODES[0]}")" 401
is "and not that it is on" "$(sign_in zoe "$ZOE" "$PASSWORD")" 401
is "the third recovery code" "$(sign_in zoe "$ZOE" "$PASSWORD" "${CODES[2]}")" 200
is "new recovery codes need the password" "$(account "$ZOE" POST /recovery-codes '{"password":"Wrong-Horse-1"}')" 403
is "new recovery codes" "$(account "$ZOE" POST /recovery-codes "{\"password\":\"$PASSWORD\"}")" 200
mapfile -t FRESH < <(member '"\n".join(d["recoveryCodes"])')
is "end the old ones" "$(sign_in zoe "$SECOND" "$PASSWORD" "${CODES[3]}")" 401
is "and are good" "$(sign_in zoe "$SECOND" "$PASSWORD" "${FRESH[0]}")" 200

# --- programs ----------------------------------------------------------------------------------
from 4
is "Basic with the password" "$(basic zoe "$PASSWORD")" 403
like "says what is needed" "$(cat "$WORK/body")" 'app password'
is "a wrong one is only wrong" "$(basic zoe Wrong-Horse-1)" 401
is "an app password needs the password" "$(account "$ZOE" POST /app-passwords '{"password":"Wrong-Horse-1","name":"x"}')" 403
is "and a name" "$(account "$ZOE" POST /app-passwords "{\"password\":\"$PASSWORD\",\"name\":\"\"}")" 400
is "an app password" "$(account "$ZOE" POST /app-passwords "{\"password\":\"$PASSWORD\",\"name\":\"Backup <1>\"}")" 200
APP=$(value appPassword)
like "of 160 bits" "$APP" '^([a-z2-7]{4}-){7}[a-z2-7]{4}$'
is "never used" "$(account "$ZOE" GET '' > "$WORK/status"; member '[[a["name"], a["used"]] for a in d["appPasswords"]]')" '[["Backup <1>", null]]'
not "it is not shown again" grep -q "${APP:0:9}" "$WORK/body"
is "signs programs in" "$(basic zoe "$APP")" 200
is "written without dashes" "$(basic zoe "${APP//-/}")" 200
is "nobody else" "$(basic lisa "$APP")" 401
is "no people" "$(sign_in zoe "$SECOND" "$APP")" 401
is "and changes no account" "$(web DELETE $ACCOUNT/sessions -u "zoe:$APP")" 403
is "its use is noted" "$(account "$ZOE" GET '' > "$WORK/status"; member 'd["appPasswords"][0]["used"] is None')" false
again
is "it survives a restart" "$(basic zoe "$APP")" 200
is "signing in again" "$(sign_in zoe "$ZOE" "$PASSWORD" "${FRESH[1]}")" 200
ID=$(account "$ZOE" GET '' > "$WORK/status"; member 'd["appPasswords"][0]["id"]')
is "another's cannot be revoked" "$(sign_in lisa "$WORK/lisa" "$PASSWORD" > "$WORK/status"
    account "$WORK/lisa" DELETE "/app-passwords/$ID")" 404
is "revoking" "$(account "$ZOE" DELETE "/app-passwords/$ID")" 204
is "ends it" "$(basic zoe "$APP")" 401

# --- the API port and the shell ------------------------------------------------------------------
from 5
ADMIN=$WORK/admin
is "the administrator" "$(sign_in admin "$ADMIN" "$ADMIN_PASSWORD")" 200
account "$ADMIN" POST /app-passwords "{\"password\":\"$ADMIN_PASSWORD\",\"name\":\"shell\"}" > "$WORK/status"
ADMIN_APP=$(value appPassword)
ZOES_SECRET=$SECRET
account "$ADMIN" POST /two-factor "{\"password\":\"$ADMIN_PASSWORD\"}" > "$WORK/status"
SECRET=$(value secret)
account "$ADMIN" POST /two-factor/confirm "{\"code\":\"$(totp)\"}" > "$WORK/status"
is "the API port with the password" "$(api_status admin "$ADMIN_PASSWORD")" 403
is "and with an app password" "$(api_status admin "$ADMIN_APP")" 200
shell() {
    "$BIN_DIR/mailkeep" --h=127.0.0.1:"$API_PORT" --u=admin --p="$1" --nologo \
        --pkv3="$(grep -o 'pkv3=[0-9A-F]*' "$DAEMON_LOG" | tail -n 1 | cut -d= -f2)" \
        -c GetServerInfo > "$WORK/out" 2>&1
}
shell "$ADMIN_PASSWORD"
is "the shell with the password" $? 3
like "says what to do" "$(cat "$WORK/out")" 'two-factor sign-in.*app password'
ok "the shell with an app password" shell "$ADMIN_APP"
OLD_PASSWORD=$ADMIN_PASSWORD
ADMIN_PASSWORD=$ADMIN_APP # for api from here on

# --- by an administrator ---------------------------------------------------------------------------
is "GetUserInfo tells" "$(api GetUserInfo userName=zoe | tail -c +4 | json 'd["result"]["twoFactor"]')" true
is "and of lisa" "$(api GetUserInfo userName=lisa | tail -c +4 | json 'd["result"]["twoFactor"]')" false
not "no secret in it" grep -qE "$ZOES_SECRET|hash|secret" <(api GetUserInfo userName=zoe)
is "switching it off" "$(api ResetUserTwoFactor userName=zoe | tail -c +4 | json 'd["error"]')" null
is "lets the password in" "$(sign_in zoe "$SECOND" "$PASSWORD")" 200
is "of an unknown user" "$(api ResetUserTwoFactor userName=nobody | tail -c +4 | json 'd["error"] is None')" false
like "only administrators may" "$(as lisa POST /api/v1/invoke/ResetUserTwoFactor -d userName=admin > "$WORK/status"
    cat "$WORK/body")" 'for administrators'

# --- switching it off oneself ------------------------------------------------------------------------
is "off needs the password" "$(account "$ADMIN" POST /two-factor/off '{"password":"Wrong-Horse-1"}')" 403
is "off" "$(account "$ADMIN" POST /two-factor/off "{\"password\":\"$OLD_PASSWORD\"}")" 204
is "the API port with the password again" "$(api_status admin "$OLD_PASSWORD")" 200

# --- the own password --------------------------------------------------------------------------------
from 6
new_password() { # jar, old, new
    account "$1" POST /password "{\"password\":\"$2\",\"newPassword\":\"$3\"}"
}
is "without the privilege" "$(new_password "$SECOND" "$PASSWORD" Other-Horse-9)" 403
api SetUserPrivileges userName=zoe privileges=login,changePassword > "$WORK/out"
is "the policy holds" "$(new_password "$SECOND" "$PASSWORD" short)" 400
is "the present one must be right" "$(new_password "$SECOND" Wrong-Horse-1 Other-Horse-9)" 403
cp "$SECOND" "$WORK/old"
sign_in zoe "$WORK/third" "$PASSWORD" > "$WORK/status"
is "a new password" "$(new_password "$SECOND" "$PASSWORD" Other-Horse-9)" 200
is "the session goes on under a new cookie" "$(web GET /api/v1/session -b "$SECOND")" 200
is "not under the old one" "$(web GET /api/v1/session -b "$WORK/old")" 401
is "and no other" "$(web GET /api/v1/session -b "$WORK/third")" 401
is "the old password" "$(sign_in zoe "$ZOE" "$PASSWORD")" 401
is "the new one" "$(sign_in zoe "$ZOE" Other-Horse-9)" 200
is "two sessions" "$(account "$ZOE" GET '' > "$WORK/status"; member '[s["address"] for s in d["sessions"]]')" '["127.0.0.6", "127.0.0.6"]'
is "the others are ended" "$(account "$ZOE" DELETE /sessions)" 204
is "this one is not" "$(web GET /api/v1/session -b "$ZOE")" 200
is "the other is" "$(web GET /api/v1/session -b "$SECOND")" 401
is "another user's cannot be" "$(account "$WORK/lisa" DELETE /sessions/web-1)" 404

# --- throttling: ten wrong codes, each from elsewhere; then no code is looked at ------------------------
account "$ZOE" POST /two-factor '{"password":"Other-Horse-9"}' > "$WORK/status"
SECRET=$(value secret)
is "on once more" "$(account "$ZOE" POST /two-factor/confirm "{\"code\":\"$(totp)\"}")" 200
mapfile -t CODES < <(member '"\n".join(d["recoveryCodes"])')
for i in {1..10}; do
    from $((20 + i))
    sign_in zoe "$SECOND" Other-Horse-9 "wrong-$i"
    echo
done > "$WORK/statuses"
is "ten wrong codes" "$(sort "$WORK/statuses" | uniq -c | tr -s ' ')" " 10 401"
from 40
is "then none is looked at" "$(sign_in zoe "$SECOND" Other-Horse-9 "${CODES[0]}")" 429
like "for a while" "$(field Retry-After)" '^[0-9]+$'
is "nor from elsewhere" "$(from 41; sign_in zoe "$SECOND" Other-Horse-9 "$(totp --now '+30 seconds')")" 429
for i in {1..10}; do account "$WORK/lisa" POST /two-factor '{"password":"Wrong-Horse-1"}'; echo; done > "$WORK/statuses"
is "ten wrong passwords asked for again" "$(sort "$WORK/statuses" | uniq -c | tr -s ' ')" " 10 403"
is "then the right one neither" "$(account "$WORK/lisa" POST /two-factor "{\"password\":\"$PASSWORD\"}")" 429

# --- nothing of it lies in clear -----------------------------------------------------------------------
clear() { # of files and the log, before and after the end
    python3 - "$SECRET" "$ZOES_SECRET" "$APP" "$ADMIN_APP" "${CODES[@]}" "${FRESH[@]}" << 'END'
import base64, os, sys
work = os.environ["WORK"]
secrets = [s.encode() for s in sys.argv[1:]]
secrets += [s.replace(b"-", b"") for s in secrets] + [s.replace(b"-", b"").upper() for s in secrets]
secrets += [base64.b32decode(s) for s in secrets if len(s) == 32 and s.isupper()]
paths = [work + "/daemon.log"] + [os.path.join(d, f) for d, _, fs in os.walk(work + "/data") for f in fs]
found = {p for p in paths for s in secrets if s in open(p, "rb").read()}
sys.exit(f"{found}" if found or len(paths) < 5 or len(secrets) < 60 else 0)
END
}
export WORK
ok "no secret on the disk or in the log" clear
not "no code of recovery in the log" grep -qE '[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}' "$DAEMON_LOG"
stopped_well
ok "nor when it has stopped" clear
