// Deutsch
import type { Key } from './en';

export const de: Record<Key, string> = {
  rules: 'Regeln für das Passwort',
  met: '(erfüllt)',
  unmet: '(noch nicht erfüllt)',
  length: 'Mindestens {min} Zeichen',
  classes:
    'Mindestens {min} von: A–Z, a–z, 0–9, Sonderzeichen, Buchstaben ohne Groß- und Kleinschreibung (etwa chinesische)',
  run: 'Kein Zeichen öfter als {max}-mal hintereinander',
  name: 'Ohne den Benutzernamen',
  product: 'Ohne den Namen des Produkts',
};
