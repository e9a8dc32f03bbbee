// T461: two-factor sign-in in the browser, on desktops and phones, in both languages.
//
// The codes are oathtool's and the picture is read by zbarimg: neither knows how we make them.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { clean, confirmPassword, DESKTOP, looker, openAccount, PHONE, setUp, totp, typeName } from './account-steps.mjs';
import { asAdmin, button, dialog, picture } from './console-lib.mjs';
import { eventually, run, test } from './tap.mjs';

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

test('who has lost the second step gets in with the password, once the administrator takes it away', async ({ open, assert }) => {
  const page = await open({ viewport: DESKTOP });
  await openAccount(page, 'ida');
  await setUp(page);
  const before = await open({ viewport: DESKTOP });
  await typeName(before, 'ida');
  await before.locator('#code').waitFor();

  const console = await open({ viewport: DESKTOP });
  await asAdmin(console, '/admin/users/ida');
  const card = console.getByRole('region', { name: 'Two-factor sign-in' });
  await card.scrollIntoViewIfNeeded();
  await picture(console, 'two-factor-on');
  await button(console, 'Reset two-factor sign-in').click();
  await picture(console, 'two-factor-reset');
  await dialog(console).getByRole('button', { name: /^Reset/ }).click();
  await dialog(console).waitFor({ state: 'detached' });
  await picture(console, 'two-factor-off');

  const after = await open({ viewport: DESKTOP });
  await typeName(after, 'ida');
  await after.waitForSelector('header.top');
  assert.equal(await after.locator('#code').count(), 0);
  for (const each of [page, console, after]) clean(each, assert);
});

await run();
