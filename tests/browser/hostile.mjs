// T420: each hostile mail is opened in each view; nothing of it runs, asks, posts or leads away.
import { eventually, logIn, run, test, WEB } from './tap.mjs';

async function openMail(page, subject) {
  await logIn(page, 'zoe', `/search?q=${encodeURIComponent(`subject:"hostile ${subject}"`)}`);
  await page.click('[role=option]');
  await page.waitForSelector('#mail-content');
}

/** The innermost frame: the mail itself. */
async function mailFrame(page) {
  return eventually('the mail is shown', async () => {
    const frame = page.frames().find((f) => f.parentFrame()?.url().endsWith('/frame.html'));
    if (frame === undefined || (await frame.locator('body').innerText()) === '') throw new Error('no frame yet');
    return frame;
  });
}

async function nothingHappened(page, assert) {
  await page.waitForTimeout(250);
  assert.deepEqual(page.outside, [], 'nothing is asked of others');
  assert.deepEqual(page.problems.filter((p) => p.startsWith('dialog')), [], 'no dialog opens');
  assert.equal(await page.evaluate(() => globalThis.pwned), undefined, 'no script has run');
  assert.equal(new URL(page.url()).origin, WEB, 'the page is still the application');
  assert.equal(page.context().pages().length, 1, 'no window has opened');
}

async function looksHarmless(page, assert, subject) {
  await openMail(page, subject);
  const frame = await mailFrame(page);
  assert.match(await frame.locator('body').innerText(), /harmless words/, 'what is harmless is shown');
  await nothingHappened(page, assert);
  for (const view of ['text', 'headers', 'source']) {
    await page.click(`#tab-${view}`);
    await nothingHappened(page, assert);
  }
  await page.click('#tab-html');
  return frame;
}

const count = (frame, selector) => frame.locator(selector).count();

test('a mail is in a sandbox without scripts and without an origin', async ({ open, assert }) => {
  const page = await open();
  await openMail(page, 'script');
  await mailFrame(page);
  const inner = page.frameLocator('iframe[src="/frame.html"]').locator('iframe');
  assert.equal(await inner.getAttribute('sandbox'), 'allow-popups allow-popups-to-escape-sandbox');
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(await inner.getAttribute('srcdoc'))[1];
  assert.match(policy, /^default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'/);
});

test('scripts', async ({ open, assert }) => {
  const page = await open();
  const frame = await looksHarmless(page, assert, 'script');
  assert.equal(await count(frame, 'script, iframe, object, embed, input, template, [onerror], [onload], [ontoggle]'), 0);
  for (const link of await frame.locator('a').all()) assert.equal(await link.getAttribute('href'), null);
});

test('drawings that are documents', async ({ open, assert }) => {
  const page = await open();
  const frame = await looksHarmless(page, assert, 'svg');
  assert.equal(await count(frame, 'svg, image, use, foreignObject'), 0);
});

test('styles that ask for something elsewhere', async ({ open, assert }) => {
  const page = await open();
  const frame = await looksHarmless(page, assert, 'css');
  assert.equal(await count(frame, 'link, video, [srcset]'), 0);
  assert.equal(await page.locator('header.top').isVisible(), true, 'and nothing covers the application');
});

test('styles and scripts stay out when pictures are asked for', async ({ open, assert }) => {
  const page = await open();
  await openMail(page, 'css');
  await mailFrame(page);
  await page.getByRole('button', { name: 'Load pictures' }).click();
  await eventually('pictures are asked for', async () => assert.ok(page.outside.some((u) => u.endsWith('/1x.png'))));
  await page.waitForTimeout(300);
  const kinds = /import\.css|style\.css|font\.woff|v\.mp4|prefetch/;
  assert.deepEqual(page.outside.filter((url) => kinds.test(url)), []);
});

test('forms', async ({ open, assert }) => {
  const page = await open();
  const frame = await looksHarmless(page, assert, 'form');
  assert.equal(await count(frame, 'form, input, button, [formaction]'), 0);
});

test('refresh, base and links that lead away', async ({ open, assert }) => {
  const page = await open();
  const frame = await looksHarmless(page, assert, 'refresh');
  assert.equal(await count(frame, 'base, meta[http-equiv=refresh], [ping], [target=_top]'), 0);
  assert.equal(await frame.locator('#relative').getAttribute('href'), null);
  const link = frame.getByText('go');
  assert.equal(await link.getAttribute('rel'), 'noopener noreferrer');
  assert.equal(await link.getAttribute('title'), 'https://evil.example/ping');
});

test('attachments that are not what they say', async ({ open, assert }) => {
  const page = await open();
  await openMail(page, 'types');
  for (const name of ['picture.png', 'text.txt']) {
    await page.getByRole('button', { name: new RegExp(`^${name}`) }).click();
    const dialog = page.getByRole('dialog');
    await dialog.locator('pre').waitFor();
    assert.equal(await dialog.locator('img, iframe, object, embed').count(), 0);
    assert.match(await dialog.locator('pre').innerText(), /<script>/);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  }
  // Of documents what they say is shown, by what their octets are: both are pages of scripts alone.
  for (const name of ['page.html', 'paper.pdf']) {
    await page.getByRole('button', { name: new RegExp(`^${name}`) }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('There is no text in this document').waitFor();
    assert.equal(await dialog.locator('img, iframe, object, embed').count(), 0);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  }
  assert.equal(await page.getByRole('button', { name: /^drawing\.svg/ }).count(), 0, 'a drawing is not shown');
  await nothingHappened(page, assert);
});

test('attachments that come to nothing but a download', async ({ open, assert }) => {
  const page = await open();
  await openMail(page, 'types');
  const href = await page.getByRole('link', { name: 'Download page.html' }).getAttribute('href');
  const tab = await page.context().newPage();
  const [download] = await Promise.all([tab.waitForEvent('download'), tab.goto(WEB + href).catch(() => {})]);
  assert.equal(download.suggestedFilename(), 'page.html');
  await tab.close();
  await nothingHappened(page, assert);
});

test('names with paths, with marks that turn text round, and with markup', async ({ open, assert }) => {
  const page = await open();
  await openMail(page, 'names');
  const names = await page.locator('section section .name').allInnerTexts();
  assert.deepEqual(names, ['passwd', 'invoicefdp.exe', 'x.exe', '"><img src=x onerror=alert(1)>.bin']);
  assert.equal(await page.locator('.odd').count(), 1, 'and it is said of the one that hid what it is');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download invoicefdp.exe' }).click(),
  ]);
  assert.doesNotMatch(download.suggestedFilename(), /[\u202a-\u202e/\\]/u);
  await nothingHappened(page, assert);
});

await run();
