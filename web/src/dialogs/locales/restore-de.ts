// German: restoring a mail.
import type { Key } from './restore-en';

export const de: Record<Key, string> = {
  'title': 'Per E-Mail wiederherstellen',
  'what': 'Die E-Mail wird genau so, wie sie archiviert wurde, an diese Adresse gesendet. Absender, Empfänger und Datum darin bleiben, wie sie sind.',
  'to': 'An',
  'send': 'Senden',
  'sending': 'Wird gesendet …',
  'sent': 'An {address} gesendet. Bis sie ankommt, kann es einen Moment dauern.',
  'close': 'Schließen',
  'invalid': 'Das ist keine E-Mail-Adresse.',
  'refused': 'Der Mailserver hat die E-Mail nicht angenommen:',
  'failed': 'Die E-Mail konnte nicht gesendet werden:',
  'tooMany': 'Sie haben viele E-Mails gesendet. Warten Sie einige Minuten.',
  'busy': 'Es werden gerade andere E-Mails gesendet. Versuchen Sie es gleich noch einmal.',
  'gone': 'Diese E-Mail gibt es nicht mehr.',
  'off': 'Es können keine E-Mails gesendet werden: Die SMTP-Einstellungen fehlen.',
  'network': 'Der Server ist nicht erreichbar.',
};
