// T490: every page of the administration console on a desktop by axe; the way to it and back.
import { asAdmin, PAGES, walk } from './console-lib.mjs';
import { eventually, logIn, run, test, WEB } from './tap.mjs';

const DESKTOP = { width: 1280, height: 800 };

test('every page on a desktop, light, English', async ({ open, assert }) => {
  await walk(await open({ viewport: DESKTOP, colorScheme: 'light', locale: 'en-GB' }), assert, 'desktop-light-en');
});

test('every page on a desktop, dark, German', async ({ open, assert }) => {
  await walk(await open({ viewport: DESKTOP, colorScheme: 'dark', locale: 'de-DE' }), assert, 'desktop-dark-de');
});

test('every page is there by its address', async ({ open, assert }) => {
  const page = await open();
  await asAdmin(page);
  for (const path of PAGES) {
    await page.goto(`${WEB}/admin/${path}`);
    await page.locator('#page-title').waitFor();
    assert.doesNotMatch(await page.title(), /no such page/, path);
  }
  await page.goto(`${WEB}/admin/nothing`);
  await eventually('it says so', async () =>
    assert.equal(await page.locator('#page-title').innerText(), 'There is no such page'));
});

test('a user has no entry to it and no page of it', async ({ open, assert }) => {
  const page = await open();
  await logIn(page, 'zoe', '/admin/users');
  await page.locator('[role=option]').first().waitFor();
  assert.equal(await page.locator('#page-title').count(), 0);
  await page.locator('.avatar').click();
  assert.equal(await page.getByRole('link', { name: 'Administration' }).count(), 0);
});

test('an administrator goes there by the menu and back; the keys are at the heading', async ({ open, assert }) => {
  const page = await open();
  await logIn(page, 'admin');
  await page.locator('.avatar').click();
  await page.getByRole('link', { name: 'Administration' }).click();
  await page.locator('#page-title').waitFor();
  assert.match(page.url(), /\/admin$/);
  await page.getByRole('link', { name: 'Users', exact: true }).click();
  await eventually('the heading', async () =>
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Users'));
  await eventually('the title', async () => assert.equal(await page.title(), 'Users – Mailkeep'));
  await page.goBack();
  await eventually('home', async () => assert.equal(await page.locator('#page-title').innerText(), 'Home'));
  await page.getByRole('link', { name: 'E-mails' }).first().click();
  await page.locator('#list').waitFor();
});

await run();
