// English: restoring a mail.
export const en = {
  'title': 'Restore by e-mail',
  'what': 'The e-mail is sent to this address exactly as it was archived. Sender, recipients and date in it stay as they are.',
  'to': 'To',
  'send': 'Send',
  'sending': 'Being sent …',
  'sent': 'Sent to {address}. It may take a moment to arrive.',
  'close': 'Close',
  'invalid': 'This is not an e-mail address.',
  'refused': 'The mail server did not take the e-mail:',
  'failed': 'The e-mail could not be sent:',
  'tooMany': 'You have sent many e-mails. Wait a few minutes.',
  'busy': 'Other e-mails are being sent. Try again in a moment.',
  'gone': 'There is no such e-mail any more.',
  'off': 'E-mail cannot be sent: the SMTP settings are missing.',
  'network': 'The server cannot be reached.',
} as const;

export type Key = keyof typeof en;
