#!/bin/bash
# T411: in the browser: pages and text of documents, what became of attachments' text, hints by their code
. "$(dirname "$0")/browser-lib.sh"
need_browser
plan $(($(tests_in attachments) + $(tests_in pages) + 1))
begin_archive
send_mails attachments
send_mails pages
wait_for_mails zoe 2
in_browser attachments
in_browser pages
stopped_well
