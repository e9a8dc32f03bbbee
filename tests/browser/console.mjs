// T490: the administration console, page by page; what is done in it is looked up by the API.
import { mkdir } from 'node:fs/promises';
import { axeSource, eventually, logIn, run, test, WEB } from './tap.mjs';

const STANDARDS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const { PASSWORD, ADMIN_PASSWORD, SCREENSHOTS } = process.env;
const PAGES = ['', 'users', 'users/zoe', 'access', 'sessions', 'archives', 'journals', 'stores', 'indexes',
  'services', 'shell', 'shell/SetUserPrivileges', 'about'];

/** A function's result, asked for with the administrator's own name: not what the page believes. */
async function api(page, name, form = {}) {
  const answer = await page.request.post(`${WEB}/api/v1/invoke/${name}`, {
    form,
    headers: { Authorization: `Basic ${Buffer.from(`admin:${ADMIN_PASSWORD}`).toString('base64')}`, Cookie: '' },
  });
  const { error, result } = await answer.json();
  if (error !== null) throw new Error(error.message);
  return result;
}

async function asAdmin(page, path = '/admin') {
  await logIn(page, 'admin', path);
  await page.locator('#page-title').waitFor();
}

async function quiet(page) {
  await page.waitForLoadState('networkidle');
  await page.waitForTimeout(200); // transitions of colours are over
}

async function check(page, assert, what) {
  await quiet(page);
  // By the debugger: the page's own policy lets no script in.
  const { violations } = await page.evaluate(`(() => { const module = undefined; ${axeSource};
    return axe.run(document, { runOnly: ${JSON.stringify(STANDARDS)} }); })()`);
  const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
  assert.deepEqual(found, [], what);
  const [wide, view] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= view, `${what}: ${wide} of ${view} pixels`);
}

async function picture(page, what) {
  if (SCREENSHOTS === undefined) return;
  await mkdir(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: `${SCREENSHOTS}/${what.replaceAll('/', '-')}.png` });
}

async function walk(page, assert, name) {
  await asAdmin(page);
  for (const path of PAGES) {
    await page.goto(`${WEB}/admin/${path}`);
    await page.locator('#page-title').waitFor();
    await check(page, assert, path);
    await picture(page, `${name}-${path === '' ? 'home' : path}`);
  }
  assert.deepEqual(page.outside, []);
  assert.deepEqual(page.problems, []);
}

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 320, height: 640 };

test('every page on a desktop, light, English', async ({ open, assert }) => {
  await walk(await open({ viewport: DESKTOP, colorScheme: 'light', locale: 'en-GB' }), assert, 'desktop-light-en');
});

test('every page on a desktop, dark, German', async ({ open, assert }) => {
  await walk(await open({ viewport: DESKTOP, colorScheme: 'dark', locale: 'de-DE' }), assert, 'desktop-dark-de');
});

test('every page on a phone of 320 pixels, dark, English', async ({ open, assert }) => {
  await walk(await open({ viewport: PHONE, hasTouch: true, colorScheme: 'dark', locale: 'en-GB' }), assert, 'phone-dark-en');
});

test('every page on a phone of 320 pixels, light, German', async ({ open, assert }) => {
  await walk(await open({ viewport: PHONE, hasTouch: true, colorScheme: 'light', locale: 'de-DE' }), assert, 'phone-light-de');
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
