/** "Zoe <zoe@x.example>" is Zoe; an address without a name is itself. */
export function nameOf(mailbox: string): string {
  const name = mailbox.replace(/\s*<[^<>]*>\s*$/, '').replace(/^"(.*)"$/, '$1');
  return name === '' ? mailbox.replace(/[<>]/g, '') : name;
}

/** Of a whole header field: "Zoe <zoe@x.example>, max@x.example" is Zoe, max@x.example. */
export function namesOf(mailboxes: string): string {
  return mailboxes
    .split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/)
    .map((mailbox) => nameOf(mailbox.trim()))
    .join(', ');
}
