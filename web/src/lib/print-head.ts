// What stands above a printed mail: who wrote to whom, when and about what.
import type { PrintHead } from '../frame/print';
import type { Mail, Mailbox } from './api';
import { fullDate } from './format';
import { t } from './i18n.svelte';

function named({ name, address }: Mailbox): string {
  return name === '' || name === address ? address : `${name} <${address}>`;
}

const list = (mailboxes: readonly Mailbox[]): string => mailboxes.map(named).join(', ');

export function printHead(mail: Mail): PrintHead {
  const { summary } = mail;
  const lines: [string, string][] = [
    [t('mail.date'), fullDate(mail.date)],
    [t('mail.from'), list(summary.from)],
    [t('mail.to'), list(summary.to)],
    [t('mail.cc'), list(summary.cc)],
    [t('mail.bcc'), list(summary.bcc)],
    [t('mail.subject'), summary.subject],
    [t('mail.attachments'), mail.attachments.filter((a) => !a.isInline).map((a) => a.name).join(', ')],
  ];
  return { title: summary.subject || t('list.noSubject'), lines: lines.filter(([, value]) => value !== '') };
}
