// T460: app passwords and the own password in the browser, light and dark.
import { clean, confirmPassword, DESKTOP, looker, openAccount, PHONE, typeName } from './account-steps.mjs';
import { PASSWORD, run, signIn, test, WEB } from './tap.mjs';

const NEW_PASSWORD = 'Better-Zebra-19';

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
