# web-lib.sh - what the tests of the web API share: an archive with users and mails, curl
#
#   . "$(dirname "$0")/web-lib.sh"
#   begin_archive          # daemon, gateway mailbox, users zoe and lisa with $PASSWORD
#   send_mail FILE         # to the gateway mailbox, by SMTP with STARTTLS
#   wait_for_mails USER N
#
# Calls leave their answer in $WORK/head and $WORK/body and print the status.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PASSWORD=Correct-Horse-8
JOURNAL=journal@archive.example
WEB=

begin_archive() {
    need curl
    make_config
    init_data
    start_daemon "$HTTPS_PORT" "$API_PORT" "$SMTP_PORT" "$HTTP_PORT"
    WEB=https://127.0.0.1:$HTTPS_PORT
    api CreateGatewayMailbox address=$JOURNAL > "$WORK/gateway"
    add_user zoe zoe@x.example
    add_user lisa lisa@x.example
}

add_user() { # name, address
    local name=$1
    {
        api CreateUser "userName=$name" privileges=login
        api SetUserEmailAddresses "userName=$name" "emailAddresses=$2"
        api SetUserPassword "userName=$name" "password=$PASSWORD"
        api SetUserPrivilegesOnFolder "userName=$name" "folder=$name" privileges=read
    } > "$WORK/add-user" 2>&1
    ! grep -q '"error":{' "$WORK/add-user" || bail "cannot add a user: $(cat "$WORK/add-user")"
}

# web METHOD PATH [CURL-ARGUMENT...]: prints the status.
web() {
    local method=(-X "$1") path=$2
    shift 2
    [ "${method[1]}" != HEAD ] || method=(-I)
    curl -ksS --max-time 60 "${method[@]}" -D "$WORK/head" -o "$WORK/body" -w '%{http_code}' \
        --path-as-is "$@" "$WEB$path"
}

# as USER METHOD PATH [CURL-ARGUMENT...]: with HTTP Basic; "nobody" has none.
as() {
    local user=$1 password=$PASSWORD
    shift
    [ "$user" != admin ] || password=$ADMIN_PASSWORD
    if [ "$user" = nobody ]; then web "$@"; else web "$@" -u "$user:$password"; fi
}

# field NAME: a header field of the last answer.
field() {
    sed -n "s/^$1: *//Ip" "$WORK/head" | tr -d '\r' | head -n 1
}

# value NAME: a string or number of the last answer's JSON, the first of that name.
value() {
    grep -o "\"$1\":\(\"[^\"]*\"\|[a-z0-9.]*\)" "$WORK/body" | head -n 1 |
        sed 's/^"[^"]*"://; s/^"//; s/"$//'
}

log_in() { # user, jar
    local password=$PASSWORD
    [ "$1" != admin ] || password=$ADMIN_PASSWORD
    web POST /api/v1/session -c "$2" -H 'Content-Type: application/json' \
        -d "{\"userName\":\"$1\",\"password\":\"$password\"}"
}

send_mail() { # file
    curl -ksS --max-time 60 --ssl-reqd --mail-from out@else.example --mail-rcpt "$JOURNAL" \
        -T "$1" "smtp://127.0.0.1:$SMTP_PORT/client.example" > "$WORK/smtp" 2>&1 ||
        bail "the mail was not taken: $(cat "$WORK/smtp")"
}

has_mails() { # user, number
    as "$1" GET /api/v1/search > "$WORK/status"
    [ "$(value total)" = "$2" ]
}

wait_for_mails() {
    wait_until "$2 mails of $1" has_mails "$1" "$2" || bail "mails are missing: $(cat "$WORK/body")"
}
