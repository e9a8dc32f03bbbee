// What T460 and T461 share: the steps of the account's pages, and a close look at each.
//
// The codes are oathtool's. SHOTS=DIR keeps a picture of each state, to be looked at.
import { execFileSync } from 'node:child_process';
import { axeSource, PASSWORD, signIn, WEB } from './tap.mjs';

const STANDARDS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 320, height: 640 };

export const totp = (secret, when = 'now') =>
  execFileSync('oathtool', ['--totp', '-b', '--now', when, secret], { encoding: 'utf8' }).trim();

/** axe, the width, and a picture. */
export function looker(page, assert, prefix) {
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

export function clean(page, assert) {
  assert.deepEqual(page.outside, []);
  assert.deepEqual(page.problems, []);
}

export async function openAccount(page, user) {
  await signIn(page, user);
  await page.locator('.avatar').click();
  await page.locator('a[href="/account"]').click();
  await page.locator('#two-title').waitFor();
}

export async function confirmPassword(page, password = PASSWORD) {
  await page.fill('#ask-password', password);
  await page.keyboard.press('Enter');
}

/** Up to the recovery codes. */
export async function setUp(page, look = async () => {}) {
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

export async function typeName(page, user, password = PASSWORD) {
  await page.goto(WEB);
  await page.fill('#userName', user);
  await page.keyboard.press('Enter');
  await page.fill('#password', password);
  await page.keyboard.press('Enter');
}
