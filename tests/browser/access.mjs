// T430: every view by axe, by keyboard alone, on a small screen; nothing is asked of others.
import { axeSource, eventually, logIn, PASSWORD, run, test, WEB } from './tap.mjs';

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

test('on a phone one sees folders, list or mail, and comes back', async ({ open, assert }) => {
  const page = await open({ viewport: PHONE, hasTouch: true });
  await logIn(page);
  await page.locator('.burger').click();
  await page.getByRole('treeitem', { name: 'Journal Incoming' }).click();
  await eventually('the folders are away', async () => assert.equal(await page.locator('.side').isVisible(), false));
  await page.locator('[role=option]').first().click();
  await page.locator('article h2').waitFor();
  assert.equal(await page.locator('.list').isVisible(), false);
  await page.locator('.back').click();
  await page.locator('[role=option]').first().waitFor();
});

test('by keyboard alone: sign in, folder, mail, views, back', async ({ open, assert }) => {
  const page = await open();
  await page.goto(WEB);
  await page.locator('#userName').waitFor();
  for (const text of ['zoe', PASSWORD]) {
    await page.keyboard.type(text);
    await page.keyboard.press('Enter');
    await page.waitForTimeout(50);
  }
  await page.locator('[role=option]').first().waitFor();
  await page.keyboard.press('f');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await eventually('a folder is open', async () => assert.match(page.url(), /\/folder\/zoe\/Journal/));
  await page.keyboard.press('l');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  const list = page.locator('[role=listbox][aria-label=Mails]');
  assert.equal(await list.getAttribute('aria-activedescendant'), 'row-1');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Offer 4711 and planning', exact: true }).waitFor();
  await page.keyboard.press('j');
  await page.getByRole('heading', { name: 'Zebra crossing' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('No mail is open').waitFor();
  await eventually('the list has the keys again', async () =>
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute('role')), 'listbox'));
});

test('every control is reached by Tab and shows that it is', async ({ open, assert }) => {
  const page = await open();
  await logIn(page, 'zoe', '/search?q=zebra');
  await page.locator('[role=option]').first().click();
  await page.getByRole('heading', { name: 'Zebra crossing' }).waitFor();
  const wanted = await page.locator('a[href]:visible, button:visible, select:visible, input:visible').count();
  await page.evaluate(() => document.activeElement.blur());
  const seen = new Set();
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab');
    const { at, shown } = await page.evaluate(() => {
      const element = document.activeElement;
      const style = getComputedStyle(element);
      const box = element.closest('form') !== null ? getComputedStyle(element.closest('form')) : style;
      return {
        at: element.outerHTML.slice(0, 200),
        shown: element === document.body || style.outlineStyle !== 'none' || box.boxShadow !== 'none' ||
          element.getAttribute('role') === 'listbox',
      };
    });
    assert.ok(shown, `no sign of the focus: ${at}`);
    seen.add(at);
  }
  // Tabs that are not chosen are reached by arrow keys.
  assert.ok(seen.size >= wanted - 3, `${seen.size} of ${wanted}`);
});

test('the folder tree answers to arrow keys', async ({ open, assert }) => {
  const page = await open();
  await logIn(page);
  const focused = () => page.evaluate(() => document.activeElement.querySelector('.name').textContent);
  await page.getByRole('treeitem', { name: 'zoe' }).waitFor();
  await page.keyboard.press('f');
  await page.keyboard.press('ArrowDown');
  assert.equal(await focused(), 'zoe');
  await page.keyboard.press('ArrowLeft');
  assert.equal(await page.getByRole('treeitem', { name: 'Journal Incoming' }).count(), 0);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  assert.equal(await focused(), 'Journal Incoming');
  await page.keyboard.press('ArrowLeft');
  assert.equal(await focused(), 'zoe');
});

test('language and appearance are kept', async ({ open, assert }) => {
  const page = await open();
  await logIn(page);
  await page.locator('.avatar').click();
  await page.getByRole('button', { name: 'Deutsch' }).click();
  await page.getByRole('button', { name: 'Dunkel' }).click();
  await page.reload();
  await page.getByRole('heading', { name: 'Alle E-Mails' }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'de');
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
});

await run();
