// T480: the wizard of the first start: every step looked at by axe, reloaded, and gone through.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { axeSource, eventually, PASSWORD, run, test, WEB } from './tap.mjs';

const STANDARDS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const { LINK, PROFILE, SHOTS } = process.env;
const PROFILES = {
  desktop: { options: { viewport: { width: 1280, height: 860 }, colorScheme: 'light', locale: 'de-DE' }, words: 'de' },
  phone: {
    options: { viewport: { width: 320, height: 640 }, hasTouch: true, colorScheme: 'dark', locale: 'en-GB' },
    words: 'en',
  },
};
const WORDS = {
  de: {
    welcome: 'Willkommen', begin: 'Beginnen', next: 'Weiter', password: 'Passwort des Administrators',
    hostname: 'Name dieses Rechners', certificate: 'Zertifikat', create: 'Archiv anlegen',
    recovery: 'Wiederherstellungsblatt', download: 'Blatt herunterladen', saved: 'Ich habe es',
    ask: 'Zwei Gruppen von Ihrem Blatt', start: 'Archiv starten', users: 'Erste Benutzer',
    add: 'Benutzer anlegen', mailbox: 'Journal-Postfach', makeMailbox: 'Postfach anlegen',
    connect: 'Mailserver anbinden', mail: 'Die erste E-Mail', arrived: 'Die erste E-Mail ist archiviert.',
    hints: 'Es kommt nichts?', finish: 'Abschließen', done: 'Ihr Archiv läuft', mails: 'Zu den E-Mails',
    claimed: 'Ein anderer Browser richtet dieses Archiv gerade ein', group: 'Gruppe', copied: 'Kopiert',
    wrong: 'Das stimmt nicht', own: 'Ich habe eines', check: 'Prüfen', back: 'Zurück', other: 'Ein anderes wählen',
    self: 'Eines erzeugen', wrongLink: 'Dieser Link gilt nicht',
  },
  en: {
    welcome: 'Welcome', begin: 'Begin', next: 'Next', password: 'Password of the administrator',
    hostname: 'Name of this machine', certificate: 'Certificate', create: 'Make the archive',
    recovery: 'Recovery sheet', download: 'Download sheet', saved: 'I have it',
    ask: 'Two groups of your sheet', start: 'Start the archive', users: 'First users',
    add: 'Add user', mailbox: 'Journal mailbox', makeMailbox: 'Make the mailbox',
    connect: 'Connect your mail server', mail: 'The first mail', arrived: 'The first mail is archived.',
    hints: 'Nothing comes?', finish: 'Finish', done: 'Your archive is running', mails: 'To the mails',
    claimed: 'Another browser is setting up this archive', group: 'Group', copied: 'Copied',
    wrong: 'That does not match', own: 'I have one', check: 'Check', back: 'Back', other: 'Choose another',
    self: 'Make one', wrongLink: 'This link is not valid',
  },
};
const w = WORDS[PROFILES[PROFILE].words];
let shots = 0;

async function shoot(page, name) {
  if (SHOTS === undefined) return;
  mkdirSync(SHOTS, { recursive: true });
  const number = String(++shots).padStart(2, '0');
  await page.screenshot({ path: `${SHOTS}/${PROFILE}-${number}-${name}.png`, fullPage: true });
}

async function look(page, assert, name) {
  await page.waitForTimeout(150);
  const { violations } = await page.evaluate(`(() => { const module = undefined; ${axeSource};
    return axe.run(document, { runOnly: ${JSON.stringify(STANDARDS)} }); })()`);
  const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
  assert.deepEqual(found, [], name);
  const [wide, view] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= view, `${name}: ${wide} of ${view} pixels`);
  await shoot(page, name);
}

const title = (page, text) => page.getByRole('heading', { level: 1, name: text, exact: true }).waitFor();
const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

/** The step is the same after the page was loaded again. */
async function stays(page, text) {
  await page.reload();
  await title(page, text);
}

async function openssl(...args) {
  return execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
}

async function tryOwnCertificate(page, assert, hostname) {
  const base = `${process.env.OUT_DIR}/own`;
  await openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${base}.key`, '-out', `${base}.pem`,
    '-subj', '/CN=other.example', '-days', '9');
  await page.getByText(w.own).click();
  await page.locator('#chain').fill(readFileSync(`${base}.pem`, 'utf8'));
  await page.locator('#key').fill('nonsense');
  await press(page, w.check);
  await page.locator('[role=alert]:not(:empty)').waitFor();
  await page.locator('.pem input[type=file]').nth(1).setInputFiles(`${base}.key`);
  await press(page, w.check);
  await page.locator('.warning').first().waitFor();
  assert.match(await page.locator('main').innerText(), new RegExp(`other\\.example[\\s\\S]*${hostname}`));
  await look(page, assert, 'certificate-own');
  await press(page, w.other);
  await page.getByText(w.self).click();
}

async function chooseBeforeArchive(page, assert) {
  await title(page, w.welcome);
  assert.ok(!page.url().includes('#'), 'the token has left the address');
  await look(page, assert, 'welcome');
  await press(page, w.begin);

  await title(page, w.password);
  await page.fill('#password', 'short');
  assert.ok(await page.getByRole('button', { name: w.next, exact: true }).isDisabled());
  await page.fill('#password', PASSWORD);
  await page.fill('#again', PASSWORD);
  await look(page, assert, 'password');
  await press(page, w.next);

  await title(page, w.hostname);
  await stays(page, w.hostname);
  const fixed = PROFILE === 'phone';
  if (!fixed) await page.fill('#hostname', 'post.example.org');
  const hostname = await page.inputValue('#hostname');
  await look(page, assert, 'hostname');
  await press(page, w.next);

  await title(page, w.certificate);
  await stays(page, w.certificate);
  await look(page, assert, 'certificate');
  if (!fixed) await tryOwnCertificate(page, assert, hostname);
  await press(page, w.next);
  await title(page, w.create);
  await stays(page, w.create);
  await look(page, assert, 'create');
  await press(page, w.create);
  return hostname;
}

async function keepRecovery(page, assert) {
  await title(page, w.recovery);
  await stays(page, w.recovery);
  await look(page, assert, 'recovery');
  const groups = (await page.locator('main ol li').allInnerTexts()).map((text) => text.split('\n').at(-1).trim());
  assert.equal(groups.length, 11);
  const [file] = await Promise.all([page.waitForEvent('download'), press(page, w.download)]);
  const sheet = readFileSync(await file.path(), 'utf8');
  assert.ok(sheet.includes(groups.join('-')), 'the sheet has the key');
  assert.ok(!/<script|src=|href=/.test(sheet));
  if (SHOTS !== undefined) {
    const paper = await page.context().newPage();
    await paper.setContent(sheet);
    await shoot(paper, 'sheet');
    await paper.close();
  }
  await press(page, w.saved);
  await title(page, w.ask);
  const fields = page.locator('main input');
  for (const n of [0, 1]) await fields.nth(n).fill('AAAA');
  await press(page, w.start);
  await page.getByText(w.wrong).waitFor();
  await look(page, assert, 'recovery-ask');
  for (const n of [0, 1]) {
    const field = fields.nth(n);
    const number = Number((await field.getAttribute('id')).split('-')[1]);
    await field.fill(groups[number - 1].toLowerCase());
  }
  await press(page, w.start);
}

async function addUser(page, assert) {
  await title(page, w.users);
  await look(page, assert, 'users-empty');
  await page.fill('#userName', 'lisa');
  await page.fill('#fullName', 'Lisa Beispiel');
  await page.fill('#address', 'lisa@example.com');
  await press(page, w.add);
  await page.locator('.once').waitFor();
  await look(page, assert, 'users');
  await stays(page, w.users);
  await page.getByText('Lisa Beispiel').waitFor();
  await press(page, w.next);
}

async function connectServer(page, assert, hostname) {
  await title(page, w.mailbox);
  await eventually('the suggestion', async () =>
    assert.equal(await page.inputValue('#mailbox'), `journal@${hostname}`),
  );
  await look(page, assert, 'mailbox');
  await press(page, w.makeMailbox);
  await title(page, w.connect);
  await stays(page, w.connect);
  await page.locator('pre').first().waitFor();
  for (const name of ['exchange', 'microsoft365', 'google', 'postfix', 'other']) {
    await page.locator(`input[value=${name}]`).check();
    const text = await page.locator('main section').innerText();
    assert.ok(text.includes(`journal@${hostname}`) && text.includes(hostname), name);
    await look(page, assert, `connect-${name}`);
  }
  await page.locator('section button').first().click();
  await page.getByText(w.copied).first().waitFor();
  assert.ok((await page.evaluate(() => navigator.clipboard.readText())).includes('journal@'));
  await press(page, w.next);
}

async function seeFirstMail(page, assert, hostname) {
  await title(page, w.mail);
  await stays(page, w.mail);
  await page.locator('pre', { hasText: 'lisa@example.com' }).waitFor();
  const line = await page.locator('pre').first().innerText();
  await page.getByText(w.hints).click();
  await look(page, assert, 'mail-waiting');
  execFileSync('sh', ['-c', line.replace(`--server ${hostname}`, '--server 127.0.0.1')], { stdio: 'ignore' });
  await page.getByText(w.arrived).waitFor();
  assert.match(await page.locator('main dl').innerText(), /lisa › Journal Incoming/);
  await look(page, assert, 'mail-arrived');
  await press(page, w.finish);
  await title(page, w.done);
  await look(page, assert, 'done');
}

test(`from the link to the first mail (${PROFILE})`, async ({ open, assert }) => {
  const page = await open({ ...PROFILES[PROFILE].options, permissions: ['clipboard-read', 'clipboard-write'] });
  await page.goto(`${WEB}/setup#${'0'.repeat(64)}`);
  await title(page, w.wrongLink);
  await page.goto('about:blank');
  await page.goto(LINK);
  const hostname = await chooseBeforeArchive(page, assert);

  const stranger = await open(PROFILES[PROFILE].options);
  await stranger.goto(LINK);
  await title(stranger, w.claimed);
  await look(stranger, assert, 'stranger');

  await keepRecovery(page, assert);
  await addUser(page, assert);
  await connectServer(page, assert, hostname);
  await seeFirstMail(page, assert, hostname);
  await page.getByRole('link', { name: w.mails }).click();
  await page.waitForSelector('header.top');
  assert.deepEqual([...page.outside, ...stranger.outside], []);
  assert.deepEqual([...page.problems, ...stranger.problems], []);
});

await run();
