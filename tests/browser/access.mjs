// T430: every view by axe, on desktops and phones; nothing is asked of others.
import { axeSource, logIn, run, test, WEB } from './tap.mjs';

import { mkdirSync } from 'node:fs';

// Pictures to be looked at: SHOTS=build/shots make system ONLY=T430
const SHOTS = process.env.SHOTS;

const STANDARDS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

async function check(page, assert, what) {
  await page.waitForTimeout(150); // transitions of colours are over
  // By the debugger: the page's own policy lets no script in.
  const { violations } = await page.evaluate(`(() => { const module = undefined; ${axeSource};
    return axe.run({ exclude: [['iframe']] }, { runOnly: ${JSON.stringify(STANDARDS)}, iframes: false }); })()`);
  const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
  assert.deepEqual(found, [], what);
}

async function fits(page, assert, what) {
  const [wide, view] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= view, `${what}: ${wide} of ${view} pixels`);
}

async function closeDialog(page) {
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}

/** Everything there is to be seen, once. */
async function walk(page, assert, name) {
  let number = 0;
  const look = async (what) => {
    if (SHOTS !== undefined) {
      mkdirSync(SHOTS, { recursive: true });
      await page.screenshot({ path: `${SHOTS}/${name}-${String(++number).padStart(2, '0')}-${what.replace(/\W+/g, '-')}.png` });
    }
    await check(page, assert, what);
    await fits(page, assert, what);
  };
  await page.goto(WEB);
  await page.locator('#userName').waitFor();
  await look('name');
  await page.fill('#userName', 'zoe');
  await page.keyboard.press('Enter');
  await page.locator('#password').waitFor();
  await look('password');
  await logIn(page);
  await page.locator('[role=option]').first().waitFor();
  await look('list');
  await page.locator('.avatar').click();
  await look('menu');
  await page.keyboard.press('Escape');
  await page.goto(`${WEB}/search?q=subject:offer+-subject:re`);
  await page.locator('[role=option]').first().click();
  await page.locator('iframe').waitFor();
  for (const view of ['html', 'text', 'headers', 'source']) {
    await page.click(`#tab-${view}`);
    await look(view);
  }
  await page.click('#tab-html');
  await page.locator('article').focus();
  await page.keyboard.press('i');
  await page.getByRole('searchbox').last().fill('planning');
  await page.keyboard.press('Enter');
  await look('find');
  await page.keyboard.press('Escape');
  await page.click('#tab-source');
  for (const key of ['?', 'e']) {
    await page.locator('#tab-source').focus();
    await page.keyboard.press(key);
    await page.getByRole('dialog').waitFor();
    await look(`dialog ${key}`);
    await closeDialog(page);
  }
  await page.getByRole('button', { name: /notes\.txt/ }).first().click();
  await page.getByRole('dialog').locator('pre').waitFor();
  await look('attachment');
  await closeDialog(page);
  await page.goto(`${WEB}/search?q=nothingofthatkind`);
  await page.locator('.empty .title').waitFor();
  await look('no hits');
  await page.goto(`${WEB}/search?q=?wrong`);
  await page.locator('.empty[role=alert]').waitFor();
  await look('a wrong query');
  await page.goto(`${WEB}/search?q=nothing&preset=today&text=failed`);
  await page.locator('.empty .title').waitFor();
  await look('no hits of many criteria');
  await page.goto(`${WEB}/message/1:99999`);
  await page.locator('article [role=alert]').waitFor();
  await look('no such mail');
  await page.goto(`${WEB}/search?q=papers`);
  await page.locator('[role=option][id^=row-]').first().click();
  await page.locator('.found').first().waitFor();
  await look('attachments');
  await page.getByRole('button', { name: /paper\.pdf/ }).first().click();
  await page.getByRole('dialog').getByRole('img').waitFor();
  await look('a document');
  await closeDialog(page);
  await page.context().clearCookies();
  await logIn(page, 'lisa');
  await page.locator('.empty .title').waitFor();
  await look('nothing yet');
  assert.deepEqual(page.outside, []);
  assert.deepEqual(page.problems, []);
}

const SIZES = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 360, height: 740 }, hasTouch: true },
  small: { viewport: { width: 320, height: 640 }, hasTouch: true },
};
// Desktop and phone in both languages and appearances.
const WALKS = [
  ['desktop', 'light', 'en-GB'],
  ['desktop', 'dark', 'de-DE'],
  ['phone', 'dark', 'en-GB'],
  ['small', 'light', 'de-DE'],
];

for (const [size, colorScheme, locale] of WALKS)
  test(`${size}, ${colorScheme}, ${locale}`, async ({ open, assert }) => {
    await walk(await open({ ...SIZES[size], colorScheme, locale }), assert, `${size}-${colorScheme}-${locale.slice(0, 2)}`);
  });

await run();
