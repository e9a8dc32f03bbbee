#!/bin/bash
# T371: the last administrator has lost password and phone; the machine itself lets them in again
. "$(dirname "$0")/web-lib.sh"
need oathtool python3
plan 29
begin_archive
RECOVERY=$(sed -n 's/^    \([A-Z0-9-]\{20,\}\)$/\1/p' "$WORK/init.log")
[ -n "$RECOVERY" ] || bail "init has shown no recovery key"
NEW_PASSWORD=Another-Horse-9
MAIL=$WORK/mail.eml
printf 'From: zoe@x.example\r\nTo: lisa@x.example\r\nSubject: kept\r\nMessage-ID: <1@x.example>\r\n\r\nkept\r\n' > "$MAIL"
send_mail "$MAIL"
wait_for_mails zoe 1

# reset PASSWORD [ARGUMENT...]: the command's status; what it says is in $WORK/out
reset() {
    printf '%s\n' "$1" > "$WORK/new-password"
    shift
    printf '%s\n' "${KEY:-$RECOVERY}" | "$BIN_DIR/mailkeep" reset-administrator --config "$CONFIG" \
        --admin-password-file "$WORK/new-password" "$@" > "$WORK/out" 2>&1
}
account() { # METHOD PATH JSON: the administrator's, in its session
    web GET /api/v1/session -b "$WORK/jar" > "$WORK/status"
    web "$1" "/api/v1/account$2" -b "$WORK/jar" -c "$WORK/jar" -H "X-CSRF-Token: $(value csrfToken)" \
        -H 'Content-Type: application/json' -d "$3"
}
sign_in() { # password
    web POST /api/v1/session -c "$WORK/other" -H 'Content-Type: application/json' \
        -d "{\"userName\":\"admin\",\"password\":\"$1\"}"
}
basic() { web GET /api/v1/folders -u "admin:$1"; }
again() { start_daemon "$HTTPS_PORT" "$API_PORT"; }

# --- with two factors and an app password -------------------------------------------------------
is "the administrator signs in" "$(log_in admin "$WORK/jar")" 200
is "an app password" "$(account POST /app-passwords "{\"password\":\"$ADMIN_PASSWORD\",\"name\":\"x\"}")" 200
APP=$(value appPassword)
account POST /two-factor "{\"password\":\"$ADMIN_PASSWORD\"}" > "$WORK/status"
SECRET=$(value secret)
is "two factors" "$(account POST /two-factor/confirm "{\"code\":\"$(oathtool --totp -b "$SECRET")\"}")" 200
is "the password alone does not do" "$(sign_in "$ADMIN_PASSWORD")" 401
is "it is the code that is missing" "$(value code)" second-factor
is "the app password does" "$(basic "$APP")" 200

# --- what is refused changes nothing ------------------------------------------------------------
reset "$NEW_PASSWORD"
is "not while the daemon runs" $? 1
like "which it says" "$(cat "$WORK/out")" 'another mailkeepd works on'
stopped_well
reset short
is "the policy holds" $? 1
reset "$NEW_PASSWORD" --user nobody
is "nobody is no user" $? 1
like "which it says" "$(cat "$WORK/out")" 'there is no user nobody'
reset "$NEW_PASSWORD" --user zoe
is "zoe is no administrator" $? 1
like "which it says" "$(cat "$WORK/out")" 'zoe is no administrator'
reset "$NEW_PASSWORD" --frob
is "an unknown option" $? 2
case $RECOVERY in *A) OTHER=${RECOVERY%A}B ;; *) OTHER=${RECOVERY%?}A ;; esac
KEY=$OTHER reset "$NEW_PASSWORD"
is "not with another recovery key" $? 1
KEY=' ' reset "$NEW_PASSWORD"
is "nor without one" $? 1
again
is "all is as it was: the code is missing" "$(sign_in "$ADMIN_PASSWORD")" 401
is "and the app password holds" "$(basic "$APP")" 200
is "zoe is who zoe was" "$(as zoe GET /api/v1/folders)" 200
stop_daemon

# --- the way back in ----------------------------------------------------------------------------
reset "$NEW_PASSWORD"
is "the password is set" $? 0
not "it is not said" grep -q "$NEW_PASSWORD" "$WORK/out"
not "nor is the key" grep -q "$RECOVERY" "$WORK/out" "$DAEMON_LOG"
again
is "no code is asked for" "$(sign_in "$NEW_PASSWORD")" 200
is "the old password is none" "$(sign_in "$ADMIN_PASSWORD")" 401
is "nor is the app password" "$(basic "$APP")" 401
like "it is still the administrator" "$(ADMIN_PASSWORD=$NEW_PASSWORD; api GetUsers)" '"statusCode":"succeeded"'
is "and the mail is there" "$(as zoe GET /api/v1/search > "$WORK/status"; value total)" 1
stopped_well "the daemon stops again"
