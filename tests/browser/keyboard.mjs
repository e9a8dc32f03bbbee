// T440: without a mouse, and with a thumb.
import { eventually, logIn, PASSWORD, run, test, WEB } from './tap.mjs';

const PHONE = { width: 320, height: 640 };

test('on a phone one sees folders, list or mail, and comes back', async ({ open, assert }) => {
  const page = await open({ viewport: PHONE, hasTouch: true });
  await logIn(page);
  await page.locator('.burger').click();
  await page.getByRole('treeitem', { name: 'Journal Incoming' }).click();
  await eventually('the folders are away', async () => assert.equal(await page.locator('.side').isVisible(), false));
  await page.locator('[role=option]').first().click();
  await page.locator('article h2').waitFor();
  assert.equal(await page.locator('.list').isVisible(), false);
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'ARTICLE');
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
  await page.locator('[role=listbox][aria-label=Mails][aria-busy=false]').waitFor();
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

test('a click into a mail leaves its text to be selected; a click beside it brings the shortcuts back', async ({ open, assert }) => {
  const page = await open();
  await logIn(page, 'zoe', '/search?q=planning');
  await page.locator('[role=option]').nth(1).click();
  await page.getByRole('heading', { name: 'Offer 4711 and planning', exact: true }).waitFor();
  const text = page.frameLocator('article iframe').frameLocator('iframe').locator('body');
  await text.getByText('planning').first().dblclick();
  assert.match(await text.evaluate(() => String(getSelection())), /\w/);
  await page.locator('article h2').click();
  await page.keyboard.press('k');
  await page.getByRole('heading', { name: 'Re: Offer 4711 and planning' }).waitFor();
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
