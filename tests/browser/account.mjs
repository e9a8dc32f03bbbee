// T460: the own account, on desktops and phones, in both languages, light and dark.
//
// The codes are oathtool's and the picture is read by zbarimg: neither knows how we make them.
// SHOTS=DIR keeps a picture of each state, to be looked at.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { axeSource, eventually, PASSWORD, run, signIn, test, WEB } from './tap.mjs';

const STANDARDS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 320, height: 640 };
const NEW_PASSWORD = 'Better-Zebra-19';

const totp = (secret, when = 'now') =>
  execFileSync('oathtool', ['--totp', '-b', '--now', when, secret], { encoding: 'utf8' }).trim();

/** axe, the width, and a picture. */
function looker(page, assert, prefix) {
  return async (what) => {
    await page.waitForTimeout(150); // transitions of colours are over
    const { violations } = await page.evaluate(`(() => { const module = undefined; ${axeSource};
      return axe.run(document, { runOnly: ${JSON.stringify(STANDARDS)}, iframes: false }); })()`);
    const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
    assert.deepEqual(found, [], what);
    const [wide, view] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(wide <= view, `${what}: ${wide} of ${view} pixels`);
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${prefix}-${what}.png`, fullPage: true });
  };
}

function clean(page, assert) {
  assert.deepEqual(page.outside, []);
  assert.deepEqual(page.problems, []);
}

async function openAccount(page, user) {
  await signIn(page, user);
  await page.locator('.avatar').click();
  await page.locator('a[href="/account"]').click();
  await page.locator('#two-title').waitFor();
}

async function confirmPassword(page, password = PASSWORD) {
  await page.fill('#ask-password', password);
  await page.keyboard.press('Enter');
}

/** Up to the recovery codes. */
async function setUp(page, look = async () => {}) {
  await page.locator('section[aria-labelledby=two-title] .head button').click();
  await page.locator('#ask-password').waitFor();
  await look('two-password');
  await confirmPassword(page);
  await page.locator('#totp').waitFor();
  const secret = (await page.locator('code.secret').textContent()).replaceAll(' ', '');
  await look('two-scan');
  const used = totp(secret);
  await page.fill('#totp', used);
  await page.keyboard.press('Enter');
  await page.locator('ol li').first().waitFor();
  await look('two-codes');
  return { secret, used, codes: await page.locator('ol li').allTextContents() };
}

async function typeName(page, user, password = PASSWORD) {
  await page.goto(WEB);
  await page.fill('#userName', user);
  await page.keyboard.press('Enter');
  await page.fill('#password', password);
  await page.keyboard.press('Enter');
}

test('two-factor sign-in, from setting it up to signing in', async ({ open, assert }) => {
  const page = await open({ viewport: DESKTOP, colorScheme: 'light', locale: 'en-GB' });
  const look = looker(page, assert, 'desktop');
  await openAccount(page, 'zoe');
  await look('account');
  const { secret, used, codes } = await setUp(page, look);
  assert.match(secret, /^[A-Z2-7]{32}$/);
  assert.equal(new Set(codes).size, 10);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save as a file' }).click(),
  ]);
  const file = readFileSync(await download.path(), 'utf8');
  for (const code of codes) assert.ok(file.includes(code), 'the file has every code');
  await page.getByRole('button', { name: 'I have kept the codes' }).click();
  await page.getByText('10 recovery codes left.').waitFor();
  await look('account-on');

  const again = await open({ viewport: DESKTOP, colorScheme: 'dark', locale: 'de-DE' });
  const lookAgain = looker(again, assert, 'desktop-de');
  await typeName(again, 'zoe');
  await again.locator('#code').waitFor();
  assert.equal(await again.locator('#code').getAttribute('autocomplete'), 'one-time-code');
  assert.equal(await again.locator('#code').getAttribute('inputmode'), 'numeric');
  await eventually('the focus', async () =>
    assert.equal(await again.evaluate(() => document.activeElement.id), 'code'));
  await lookAgain('code');
  await again.fill('#code', used);
  await again.keyboard.press('Enter');
  await again.getByText('Dieser Code ist falsch oder wurde schon verwendet.').waitFor();
  await lookAgain('code-used');
  await again.fill('#code', totp(secret, '+30 seconds'));
  await again.keyboard.press('Enter');
  await again.waitForSelector('header.top');

  const third = await open({ viewport: PHONE, hasTouch: true, locale: 'de-DE' });
  await typeName(third, 'zoe');
  await third.getByRole('button', { name: 'Wiederherstellungscode verwenden' }).click();
  await looker(third, assert, 'phone-de')('recovery');
  await third.fill('#code', codes[4].toUpperCase());
  await third.keyboard.press('Enter');
  await third.waitForSelector('header.top');
  await page.reload();
  await page.getByText('9 recovery codes left.').waitFor();
  assert.equal(await page.locator('section[aria-labelledby=sessions-title] li').count(), 3);
  await page.getByRole('button', { name: 'Sign out everywhere else' }).click();
  await eventually('one session', async () =>
    assert.equal(await page.locator('section[aria-labelledby=sessions-title] li').count(), 1));
  for (const each of [page, again, third]) clean(each, assert);
});

test('the picture is what authenticators read', async ({ open, assert }) => {
  const page = await open({ viewport: DESKTOP, colorScheme: 'dark', deviceScaleFactor: 2 });
  await openAccount(page, 'ida');
  await page.locator('section[aria-labelledby=two-title] .head button').click();
  await confirmPassword(page);
  await page.locator('#totp').waitFor();
  const secret = (await page.locator('code.secret').textContent()).replaceAll(' ', '');
  const shot = `${process.env.OUT_DIR}/qr.png`;
  await page.locator('dialog svg[role=img]').screenshot({ path: shot });
  const read = execFileSync('zbarimg', ['--quiet', '--raw', shot], { encoding: 'utf8' }).trim();
  const uri = new URL(read);
  assert.equal(uri.protocol, 'otpauth:');
  assert.equal(uri.searchParams.get('secret'), secret);
  assert.match(uri.searchParams.get('issuer'), /^Mailkeep \(127\.0\.0\.1\)$/);
  assert.equal(decodeURIComponent(uri.pathname.split('/').pop()), 'Mailkeep (127.0.0.1):ida');
  await page.fill('#totp', '000000');
  await page.keyboard.press('Enter');
  await page.getByText(/This code is wrong/).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await page.locator('.state').textContent(), 'Off');
  clean(page, assert);
});

test('new recovery codes, and switching it off', async ({ open, assert }) => {
  const page = await open({ viewport: PHONE, hasTouch: true, colorScheme: 'light', locale: 'de-DE' });
  const look = looker(page, assert, 'phone-de');
  await openAccount(page, 'lisa');
  await look('account');
  const { codes } = await setUp(page, look);
  await page.getByRole('button', { name: 'Ich habe die Codes aufbewahrt' }).click();
  await page.getByRole('button', { name: 'Neue Wiederherstellungscodes' }).click();
  await confirmPassword(page, 'Wrong-Horse-1');
  await page.getByText('Das jetzige Passwort ist falsch.').waitFor();
  await look('new-codes');
  await confirmPassword(page);
  await page.locator('ol li').first().waitFor();
  for (const code of await page.locator('ol li').allTextContents()) assert.ok(!codes.includes(code));
  await page.emulateMedia({ media: 'print' });
  assert.ok(await page.locator('ol').isVisible());
  assert.equal(await page.locator('.card:visible, .top:visible').count(), 0, 'only the codes are printed');
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/print.png` });
  await page.emulateMedia({ media: null });
  await page.getByRole('button', { name: 'Ich habe die Codes aufbewahrt' }).click();
  await page.getByRole('button', { name: 'Ausschalten' }).first().click();
  await look('off');
  await confirmPassword(page);
  await page.getByText('Die Zwei-Faktor-Anmeldung ist ausgeschaltet.').waitFor();
  await look('account-off');
  clean(page, assert);
});

test('app passwords', async ({ open, assert }) => {
  const page = await open({ viewport: DESKTOP, colorScheme: 'dark', locale: 'de-DE' });
  const look = looker(page, assert, 'desktop-dark-de');
  await openAccount(page, 'max');
  await page.getByRole('button', { name: 'Neues App-Passwort' }).click();
  await page.keyboard.type('Sicherung <b>im Keller</b>'); // the name has the focus
  await look('app-new');
  await confirmPassword(page);
  await page.locator('code.secret').waitFor();
  const secret = await page.locator('code.secret').textContent();
  await look('app-secret');
  await page.getByRole('button', { name: 'Fertig' }).click();
  await page.getByText('nie verwendet').waitFor();
  const { request } = (await open()).context();
  const headers = { Authorization: `Basic ${Buffer.from(`max:${secret}`).toString('base64')}` };
  assert.equal((await request.get(`${WEB}/api/v1/folders`, { headers })).status(), 200);
  await page.reload();
  await page.getByText(/zuletzt verwendet/).waitFor();
  await look('app-list');
  await page.getByRole('button', { name: /widerrufen$/i }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Widerrufen', exact: true }).click();
  await page.getByText(/wurde widerrufen/).waitFor();
  assert.equal((await request.get(`${WEB}/api/v1/folders`, { headers })).status(), 401);
  clean(page, assert);
});

test('the own password, its rules while it is typed', async ({ open, assert }) => {
  const other = await open();
  await signIn(other, 'max');
  const page = await open({ viewport: PHONE, hasTouch: true, colorScheme: 'dark', locale: 'en-GB' });
  const look = looker(page, assert, 'phone');
  await openAccount(page, 'max');
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.fill('#present', PASSWORD);
  const met = () => page.locator('#rules li.met').count();
  for (const [typed, expected] of [
    ['', 0],
    ['abc', 3],
    ['aaab', 2],
    ['Maxwell-1234', 4],
    ['mailkeep-Xyz', 4],
    [NEW_PASSWORD, 5],
  ]) {
    await page.fill('#fresh', typed);
    assert.equal(await met(), expected, typed);
  }
  await page.fill('#fresh', 'abc');
  await look('password-rules');
  await page.fill('#fresh', NEW_PASSWORD);
  await page.fill('#again', 'something else');
  await page.keyboard.press('Enter');
  await page.getByText('The two new passwords differ.').waitFor();
  await page.fill('#again', NEW_PASSWORD);
  await page.fill('#present', 'Wrong-Horse-1');
  await page.keyboard.press('Enter');
  await page.getByText('The present password is wrong.').waitFor();
  await look('password-wrong');
  await page.fill('#present', PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByText('Your password has been changed.').waitFor();
  await look('password-changed');
  await page.reload();
  await page.locator('#two-title').waitFor(); // still signed in
  await other.reload();
  await other.locator('#userName').waitFor();
  await typeName(other, 'max', NEW_PASSWORD);
  await other.waitForSelector('header.top');
  clean(page, assert);
});

test('who may not change the password is told so; the way back', async ({ open, assert }) => {
  const page = await open({ viewport: DESKTOP, colorScheme: 'light', locale: 'de-DE' });
  await openAccount(page, 'ida');
  await page.getByText(/verwaltet der Administrator/).waitFor();
  assert.equal(await page.locator('#present').count(), 0);
  await page.locator('header.top a[href="/"]').click();
  await page.locator('[role=search]').first().waitFor();
  await page.goBack();
  await page.locator('#two-title').waitFor();
  await page.locator('.avatar').click();
  await looker(page, assert, 'desktop-de')('menu');
  clean(page, assert);
});

await run();
