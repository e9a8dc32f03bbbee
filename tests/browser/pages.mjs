// T411, second half: pages of PDFs as pictures. SHOTS=DIR keeps pictures of them, to be looked at.
import { mkdirSync } from 'node:fs';
import { axeSource, eventually, logIn, run, test, WEB } from './tap.mjs';

const { SHOTS } = process.env;
const STANDARDS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const COUNT = 12;

async function openReport(open, options = {}, file = /^report\.pdf/) {
  const page = await open(options);
  await logIn(page, 'zoe', '/search?q=subject:quarterly');
  await page.locator('[role=option][id^=row-]').first().click();
  await page.locator('#mail-content').waitFor();
  await page.getByRole('button', { name: file }).click();
  return { page, dialog: page.getByRole('dialog') };
}

const picture = (dialog, number) => dialog.getByRole('img', { name: `Page ${number} of ${COUNT}` });

/** What has come and is painted: its size in pixels. */
const pixels = (image) =>
  image.evaluate(async (element) => {
    await element.decode();
    return [element.naturalWidth, element.naturalHeight];
  });

async function look(page, assert, what) {
  await page.waitForTimeout(150); // transitions of colours are over
  if (SHOTS !== undefined) {
    mkdirSync(SHOTS, { recursive: true });
    await page.screenshot({ path: `${SHOTS}/pages-${what}.png` });
  }
  // By the debugger: the page's own policy lets no script in.
  const { violations } = await page.evaluate(`(() => { const module = undefined; ${axeSource};
    return axe.run({ exclude: [['iframe']] }, { runOnly: ${JSON.stringify(STANDARDS)}, iframes: false }); })()`);
  const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
  assert.deepEqual(found, [], what);
  const [wide, view] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= view, `${what}: ${wide} of ${view} pixels`);
}

test('the first page is there at once, the next when they come near', async ({ open, assert }) => {
  const { page, dialog } = await openReport(open);
  const asked = [];
  page.on('request', (request) => asked.push(/pages\/(\d+)$/.exec(request.url())?.[1]));
  await picture(dialog, 1).waitFor();
  assert.deepEqual(await pixels(picture(dialog, 1)), [1200, 1698]);
  await picture(dialog, 2).waitFor();
  assert.ok(!asked.includes('9'), asked.join());
  assert.equal(await picture(dialog, 9).count(), 0);
  await dialog.locator('[data-page="9"]').scrollIntoViewIfNeeded();
  await picture(dialog, 9).waitFor();
  assert.deepEqual(await pixels(picture(dialog, 9)), [1200, 1698]);
  await eventually('far ones are let go', async () => assert.equal(await picture(dialog, 1).count(), 0));
  assert.ok((await dialog.getByRole('img').count()) <= 5);
  assert.deepEqual(page.problems, []);
  assert.deepEqual(page.outside, []);
});

test('a page is what it was drawn from, and as wide as there is room', async ({ open, assert }) => {
  const { dialog } = await openReport(open);
  await picture(dialog, 1).waitFor();
  const colour = await picture(dialog, 1).evaluate(async (element) => {
    await element.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [element.naturalWidth, element.naturalHeight];
    const context = canvas.getContext('2d');
    context.drawImage(element, 0, 0);
    return [...context.getImageData(canvas.width / 2, 4, 1, 1).data];
  });
  assert.deepEqual(colour, [28, 92, 184, 255]); // .11 .36 .72: the bar at its head
  await dialog.locator('[data-page="3"]').scrollIntoViewIfNeeded();
  await picture(dialog, 3).waitFor();
  assert.deepEqual(await pixels(picture(dialog, 3)), [1200, 848], 'on its side');
  const sizes = await dialog.locator('[data-page]').evaluateAll((all) => all.map((e) => e.getBoundingClientRect()));
  assert.equal(sizes[0].width, sizes[2].width);
  assert.ok(Math.abs(sizes[2].width / sizes[2].height - 842 / 595) < 0.01);
});

test('by keyboard: on, back, and to the text', async ({ open, assert }) => {
  const { page, dialog } = await openReport(open);
  await picture(dialog, 1).waitFor();
  const box = dialog.getByRole('region');
  await box.focus();
  await page.keyboard.press('End');
  await picture(dialog, COUNT).waitFor();
  await dialog.locator('.bar').getByText(`Page ${COUNT} of ${COUNT}`).waitFor();
  await page.keyboard.press('Home');
  await dialog.locator('.bar').getByText(`Page 1 of ${COUNT}`).waitFor();
  await page.keyboard.press('Shift+Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Text');
  await page.keyboard.press('Space');
  const text = dialog.getByRole('region');
  await text.getByText('Chapter 7').waitFor();
  assert.match(await text.innerText(), /The harbour was open on 89 days/);
  assert.equal(await dialog.getByRole('img').count(), 0);
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await picture(dialog, 1).waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.deepEqual(page.problems, []);
});

test('a PDF under another name is known by its octets', async ({ open }) => {
  const { dialog } = await openReport(open, {}, /^letter\.txt/);
  await picture(dialog, 1).waitFor();
});

test('while the server is busy a page waits; what then fails says so and can be tried again', async ({ open, assert }) => {
  const page = await open({ colorScheme: 'dark' });
  let refusals = 2;
  const refuse = (route, status, code) =>
    route.fulfill({ status, json: { error: { code, message: '' } } });
  await page.route(/\/pages\/1$/, (route) => (refusals-- > 0 ? refuse(route, 503, 'busy') : route.continue()));
  await page.route(/\/pages\/2$/, (route) => refuse(route, 422, 'failed'));
  let broken = true;
  await page.route(/\/pages\/3$/, (route) => (broken ? refuse(route, 500, 'io') : route.continue()));
  const { dialog } = await openReport(() => page);
  await picture(dialog, 1).waitFor();
  assert.ok(refusals < 0);
  await dialog.locator('[data-page="2"]').scrollIntoViewIfNeeded();
  await dialog.getByText('This page cannot be shown').waitFor();
  await dialog.locator('[data-page="3"]').scrollIntoViewIfNeeded();
  const again = dialog.locator('[data-page="3"]').getByRole('button', { name: 'Try again' });
  await again.waitFor();
  await look(page, assert, 'refused');
  broken = false;
  await again.click();
  await picture(dialog, 3).waitFor();
});

test('who may not read the mail gets no page of it', async ({ open, assert }) => {
  const { page } = await openReport(open);
  const id = new URL(page.url()).searchParams.get('mail');
  const path = `${WEB}/api/v1/messages/${id}/attachments/2/pages/1`;
  await eventually('the next page has been drawn', async () => {
    assert.equal((await page.request.get(path)).headers()['content-type'], 'image/png');
  });
  const other = await open();
  await logIn(other, 'lisa');
  assert.equal((await other.request.get(path)).status(), 404);
});

for (const [name, options] of [
  ['light', {}],
  ['dark', { colorScheme: 'dark' }],
  ['phone', { viewport: { width: 320, height: 568 }, hasTouch: true }],
  ['phone-dark', { viewport: { width: 320, height: 568 }, hasTouch: true, colorScheme: 'dark' }],
  ['wide', { viewport: { width: 1920, height: 1080 } }],
])
  test(`axe finds nothing, and it fits: ${name}`, async ({ open, assert }) => {
    const { page, dialog } = await openReport(open, options);
    await picture(dialog, 1).waitFor();
    await look(page, assert, `${name}-1`);
    const paper = await dialog.locator('[data-page="2"]').evaluate((e) => getComputedStyle(e).backgroundColor);
    assert.equal(paper, 'rgb(255, 255, 255)');
    await dialog.getByRole('button', { name: 'Text', exact: true }).click();
    await dialog.getByText('Chapter 7').first().waitFor();
    await look(page, assert, `${name}-text`);
  });

test('in German', async ({ open, assert }) => {
  const { page, dialog } = await openReport(open, { locale: 'de-DE' });
  await dialog.getByRole('img', { name: 'Seite 1 von 12' }).waitFor();
  await dialog.getByRole('button', { name: 'Seiten' }).waitFor();
  await look(page, assert, 'german');
});

await run();
