#!/bin/bash
# T411: in the browser: the text of documents, what became of attachments' text, hints by their code
. "$(dirname "$0")/browser-lib.sh"
need_browser
plan $(($(tests_in attachments) + 1))
begin_archive
send_mails attachments
wait_for_mails zoe 1
in_browser attachments
stopped_well
