// What the tests of the administration console share.
import { mkdir } from 'node:fs/promises';
import { axeSource, logIn, WEB } from './tap.mjs';

const STANDARDS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const { ADMIN_PASSWORD, SHOTS } = process.env;
/** A function's result, asked for with the administrator's own name: not what the page believes. */
export async function api(page, name, form = {}) {
  const answer = await page.request.post(`${WEB}/api/v1/invoke/${name}`, {
    form,
    headers: { Authorization: `Basic ${Buffer.from(`admin:${ADMIN_PASSWORD}`).toString('base64')}`, Cookie: '' },
  });
  const { error, result } = await answer.json();
  if (error !== null) throw new Error(error.message);
  return result;
}

export async function asAdmin(page, path = '/admin') {
  await logIn(page, 'admin', path);
  await page.locator('#page-title').waitFor();
}

async function quiet(page) {
  await page.waitForFunction(() => document.querySelector('.admin .loading') === null);
  await page.waitForTimeout(150); // transitions of colours are over
}

export async function check(page, assert, what) {
  await quiet(page);
  // By the debugger: the page's own policy lets no script in.
  const { violations } = await page.evaluate(`(() => { const module = undefined; ${axeSource};
    return axe.run(document, { runOnly: ${JSON.stringify(STANDARDS)} }); })()`);
  const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
  assert.deepEqual(found, [], what);
  const [wide, view] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= view, `${what}: ${wide} of ${view} pixels`);
}

export async function picture(page, what) {
  if (SHOTS === undefined) return;
  await mkdir(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}/${what.replaceAll('/', '-')}.png` });
}

export const PAGES = ['', 'users', 'users/zoe', 'access', 'sessions', 'archives', 'journals', 'stores', 'indexes',
  'services', 'certificate', 'smtp', 'shell', 'shell/SetUserPrivileges', 'about'];

/** As "back" and "forward" go: without loading it all anew. */
async function to(page, path) {
  await page.evaluate((next) => {
    history.pushState(null, '', next);
    dispatchEvent(new PopStateEvent('popstate'));
  }, `/admin/${path}`);
  await page.locator('#page-title').waitFor();
}

export async function walk(page, assert, name) {
  await asAdmin(page);
  for (const path of PAGES) {
    await to(page, path);
    await check(page, assert, path);
    await picture(page, `${name}-${path === '' ? 'home' : path}`);
  }
  assert.deepEqual(page.outside, []);
  assert.deepEqual(page.problems, []);
}

export const field = (page, label) => page.getByLabel(label, { exact: true });
export const button = (page, name) => page.getByRole('button', { name, exact: true });
export const dialog = (page) => page.getByRole('dialog');
