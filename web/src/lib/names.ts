/** "Zoe <zoe@x.example>" is Zoe; an address without a name is itself. */
export function nameOf(mailbox: string): string {
  const name = mailbox.replace(/\s*<[^<>]*>\s*$/, '').replace(/^"(.*)"$/, '$1');
  return name === '' ? mailbox.replace(/[<>]/g, '') : name;
}
