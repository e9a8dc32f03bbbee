// What is to be pasted where, so that a mail server sends copies of all mail here.
import type { Key } from './texts';

export const SYSTEMS = ['exchange', 'microsoft365', 'google', 'postfix', 'other'] as const;
export type System = (typeof SYSTEMS)[number];

export interface Facts {
  /** The journal mailbox. */
  address: string;
  host: string;
  /** Where mail is taken with STARTTLS. */
  port: number;
  selfSigned: boolean;
}

export interface Block {
  text: Key;
  /** To be copied; without it the text says all. */
  code?: string;
}

const lines = (...all: string[]): string => all.join('\n');
const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1);

function exchange({ address, host, port, selfSigned }: Facts): Block[] {
  const level = selfSigned ? 'EncryptionOnly' : 'DomainValidation';
  const checked = selfSigned ? '' : ` -TlsDomain "${host}"`;
  return [
    { text: 'guide.exchange.shell' },
    {
      text: 'guide.exchange.contact',
      code: lines(
        `New-MailContact -Name "Mailkeep Journal" -Alias mailkeep-journal -ExternalEmailAddress "${address}"`,
        'Set-MailContact "Mailkeep Journal" -HiddenFromAddressListsEnabled $true -UseMapiRichTextFormat Never',
      ),
    },
    {
      text: 'guide.exchange.connector',
      code: lines(
        `New-SendConnector -Name "Mailkeep" -Usage Custom -AddressSpaces "SMTP:${domainOf(address)};1" \``,
        `  -SmartHosts "${host}" -Port ${port} -DNSRoutingEnabled $false -SmartHostAuthMechanism None \``,
        `  -RequireTLS $true -TlsAuthLevel ${level}${checked} -MaxMessageSize 150MB`,
      ),
    },
    {
      text: 'guide.exchange.rule',
      code: `New-JournalRule -Name "Mailkeep" -JournalEmailAddress "${address}" -Scope Global -Enabled $true`,
    },
    { text: 'guide.exchange.license' },
  ];
}

function microsoft365({ address, host, port, selfSigned }: Facts): Block[] {
  const security = selfSigned
    ? '-TlsSettings EncryptionOnly'
    : `-TlsSettings DomainValidation -TlsDomain "${host}"`;
  return [
    { text: port === 25 ? 'guide.m365.port' : 'guide.m365.otherPort' },
    { text: 'guide.m365.connect', code: 'Connect-ExchangeOnline' },
    {
      text: 'guide.m365.connector',
      code: lines(
        `New-OutboundConnector -Name "Mailkeep" -ConnectorType Partner -RecipientDomains "${domainOf(address)}" \``,
        `  -UseMXRecord $false -SmartHosts "${host}" ${security}`,
      ),
    },
    {
      text: 'guide.m365.ndr',
      code: 'Set-TransportConfig -JournalingReportNdrTo "journal-errors@example.com"',
    },
    {
      text: 'guide.m365.rule',
      code: `New-JournalRule -Name "Mailkeep" -JournalEmailAddress "${address}" -Scope Global -Enabled $true`,
    },
  ];
}

function google({ address, host, port, selfSigned }: Facts): Block[] {
  return [
    { text: 'guide.google.route', code: lines(`${host}`, `${port}`) },
    { text: selfSigned ? 'guide.google.selfSigned' : 'guide.google.signed' },
    { text: 'guide.google.rule', code: address },
    { text: 'guide.google.archiving', code: address },
  ];
}

function postfix({ address, host, port, selfSigned }: Facts): Block[] {
  const hop = `[${host}]:${port}`;
  const level = selfSigned ? 'encrypt' : `secure match=${host}`;
  return [
    {
      text: 'guide.postfix.transport',
      code: lines(
        `echo '${domainOf(address)} smtp:${hop}' >> /etc/postfix/transport`,
        `echo '${hop} ${level}' >> /etc/postfix/tls_policy`,
        'postmap /etc/postfix/transport /etc/postfix/tls_policy',
        "postconf -e 'transport_maps = hash:/etc/postfix/transport'",
        "postconf -e 'smtp_tls_policy_maps = hash:/etc/postfix/tls_policy'",
      ),
    },
    {
      text: 'guide.postfix.copy',
      code: lines(`postconf -e 'always_bcc = ${address}'`, 'postfix reload'),
    },
    {
      text: 'guide.postfix.some',
      code: lines(
        `echo '@example.com ${address}' >> /etc/postfix/bcc`,
        'postmap /etc/postfix/bcc',
        "postconf -e 'recipient_bcc_maps = hash:/etc/postfix/bcc'",
        "postconf -e 'sender_bcc_maps = hash:/etc/postfix/bcc'",
        'postfix reload',
      ),
    },
  ];
}

function other({ address, host, port }: Facts): Block[] {
  return [
    { text: 'guide.other.values', code: lines(address, `${host}:${port}`) },
    { text: 'guide.other.where' },
    { text: 'guide.other.header' },
  ];
}

const GUIDES: Record<System, (facts: Facts) => Block[]> = {
  exchange,
  microsoft365,
  google,
  postfix,
  other,
};

export const guideOf = (system: System, facts: Facts): Block[] => GUIDES[system](facts);

/** A mail as a journal would send it, from any machine that has swaks. */
export function swaksLine({ address, host, port }: Facts, recipient: string): string {
  return (
    `swaks --server ${host}:${port} --tls --from test@example.com --to ${address} ` +
    `--header 'To: ${recipient}' --header 'Subject: Mailkeep'`
  );
}

export const opensslLine = ({ host, port }: Facts): string =>
  `openssl s_client -connect ${host}:${port} -starttls smtp -brief`;
