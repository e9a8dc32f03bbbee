// T430: every view by axe, on desktops and phones; nothing is asked of others.
import { axeSource, logIn, run, test, WEB } from './tap.mjs';

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
async function walk(page, assert) {
  const look = async (what) => {
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
  assert.deepEqual(page.outside, []);
  assert.deepEqual(page.problems, []);
}

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 320, height: 640 };

test('on a desktop, light, English', async ({ open, assert }) => {
  await walk(await open({ viewport: DESKTOP, colorScheme: 'light', locale: 'en-GB' }), assert);
});

test('on a desktop, dark, German', async ({ open, assert }) => {
  await walk(await open({ viewport: DESKTOP, colorScheme: 'dark', locale: 'de-DE' }), assert);
});

test('on a phone of 320 pixels, dark, English', async ({ open, assert }) => {
  await walk(await open({ viewport: PHONE, hasTouch: true, colorScheme: 'dark', locale: 'en-GB' }), assert);
});

test('on a phone of 320 pixels, light, German', async ({ open, assert }) => {
  await walk(await open({ viewport: PHONE, hasTouch: true, colorScheme: 'light', locale: 'de-DE' }), assert);
});

await run();
