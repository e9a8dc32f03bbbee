// English: restoring a mail.
export const en = {
  'title': 'Restore by mail',
  'what': 'The mail is sent to this address exactly as it was archived. Sender, recipients and date in it stay as they are.',
  'to': 'To',
  'send': 'Send',
  'sending': 'Being sent …',
  'sent': 'Sent to {address}. It may take a moment to arrive.',
  'close': 'Close',
  'invalid': 'This is not an address.',
  'refused': 'The mail server did not take the mail:',
  'failed': 'The mail could not be sent:',
  'tooMany': 'You have sent many mails. Wait a few minutes.',
  'busy': 'Other mails are being sent. Try again in a moment.',
  'gone': 'There is no such mail any more.',
  'off': 'No mail can be sent: the SMTP settings are missing.',
  'network': 'The server cannot be reached.',
} as const;

export type Key = keyof typeof en;
