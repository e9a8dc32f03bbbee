#!/bin/bash
# T110: each route as each kind of user: nobody sees what is not theirs
. "$(dirname "$0")/web-lib.sh"
begin_archive
add_user boss boss@x.example
api SetUserPrivileges userName=boss privileges=admin > "$WORK/out"

cat > "$WORK/zoes.eml" << 'END'
From: out@else.example
To: zoe@x.example
Subject: Zirconium plans
Date: Tue, 02 Jan 2024 03:04:05 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

for zoe alone
--b
Content-Type: application/octet-stream
Content-Disposition: attachment; filename=z.bin

zzz
--b--
END
sed -i 's/$/\r/' "$WORK/zoes.eml"
send_mail "$WORK/zoes.eml"
wait_for_mails zoe 1
ID=$(value id)

# Route, then the status for: nobody, zoe (hers), lisa (not hers), boss (administrator without a
# right on the archive), admin (administrator with it)
api SetUserPrivilegesOnFolder userName=admin folder=zoe privileges=read > "$WORK/out"
table="
GET  /                                            200 200 200 200 200
GET  /api/v1/session                              401 200 200 200 200
GET  /api/v1/account                              401 403 403 403 403
POST /api/v1/account/password                     401 403 403 403 403
POST /api/v1/account/two-factor                   401 403 403 403 403
POST /api/v1/account/two-factor/confirm           401 403 403 403 403
POST /api/v1/account/two-factor/off               401 403 403 403 403
POST /api/v1/account/recovery-codes               401 403 403 403 403
POST /api/v1/account/app-passwords                401 403 403 403 403
DELETE /api/v1/account/app-passwords/1            401 403 403 403 403
DELETE /api/v1/account/sessions                   401 403 403 403 403
DELETE /api/v1/account/sessions/web-1             401 403 403 403 403
GET  /api/v1/folders                              401 200 200 200 200
GET  /api/v1/messages                             401 200 200 200 200
GET  /api/v1/messages?folder=zoe                  401 200 404 404 200
GET  /api/v1/messages?folder=zoe/Journal+Incoming 401 200 404 404 200
GET  /api/v1/search?q=zirconium                   401 200 200 200 200
GET  /api/v1/search?folder=zoe                    401 200 404 404 200
GET  /api/v1/messages/$ID                         401 200 404 404 200
GET  /api/v1/messages/$ID/raw                     401 200 404 404 200
HEAD /api/v1/messages/$ID/raw                     401 200 404 404 200
GET  /api/v1/messages/$ID/headers                 401 200 404 404 200
GET  /api/v1/messages/$ID/attachments/1           401 200 404 404 200
GET  /api/v1/messages/$ID/attachments/2           401 200 404 404 200
GET  /api/v1/messages/$ID/attachments/9           401 404 404 404 404
GET  /api/v1/messages/$ID/arrivals                401 403 404 404 200
GET  /api/v1/messages/$ID/arrivals/0/report       401 403 404 404 404
GET  /api/v1/messages/1:99999/raw                 401 404 404 404 404
GET  /api/v1/messages/99:1/raw                    401 404 404 404 404
GET  /api/v1/messages/../folders                  404 404 404 404 404
GET  /api/v1/get-metadata                         401 200 200 200 200
POST /api/v1/get-metadata                         401 200 200 200 200
POST /api/v1/invoke/GetServerInfo                 401 200 200 200 200
"
users=(nobody zoe lisa boss admin)
rows=$(grep -c . <<< "$table")
plan $((rows + 7))

check_row() {
    local method=$1 path=$2 i data
    shift 2
    for i in "${!users[@]}"; do
        data=()
        [ "$method" != POST ] || data=(-d '')
        status=$(as "${users[i]}" "$method" "$path" ${data[@]+"${data[@]}"})
        [ "$status" = "$1" ] || { echo "${users[i]}: $status instead of $1"; return 1; }
        case ${users[i]} in nobody | lisa | boss)
            ! grep -qi 'zirconium plans\|for zoe alone\|zzz' "$WORK/body" "$WORK/head" ||
                { echo "${users[i]} is told of the mail"; return 1; }
            ;;
        esac
        shift
    done
}
while read -r method path expected; do
    [ -z "$method" ] || ok "$method $path" check_row "$method" "$path" $expected
done <<< "$table"

total() { # user, query
    as "$1" GET "/api/v1/search?q=$2" > "$WORK/status"
    value total
}
is "zoe finds her mail" "$(total zoe zirconium)" 1
is "lisa finds nothing" "$(total lisa zirconium)" 0
is "nor all mails" "$(total lisa '')" 0
is "nor does an administrator without the right" "$(total boss zirconium)" 0
is "nor by its id" "$(total lisa "$ID")" 0
as zoe GET /api/v1/folders > "$WORK/status"
not "zoe sees no other's folders" grep -q '"path":"lisa' "$WORK/body"
stopped_well
