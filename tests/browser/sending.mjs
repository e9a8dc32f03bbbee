// T470: mails chosen in the list, had as a ZIP, restored by mail.
import { execFileSync } from 'node:child_process';
import { axeSource, eventually, logIn, run, test, WEB } from './tap.mjs';

const OUT = process.env.OUT_DIR;
const rows = (page) => page.locator('[role=option][id^=row-]');
const picked = (page) => page.locator('[role=option][aria-selected=true] .subject').allInnerTexts();
const bar = (page) => page.getByRole('group', { name: 'Selected mails' });

async function begin(open, path = '/', options = {}) {
  const page = await open({ acceptDownloads: true, ...options });
  await logIn(page, 'zoe', path);
  await rows(page).nth(2).waitFor();
  return page;
}

async function findings(page) {
  const { violations } = await page.evaluate(`(() => { const module = undefined; ${axeSource};
    return axe.run({ exclude: [['iframe']] }, { iframes: false }); })()`);
  return violations.map((violation) => `${violation.id}: ${violation.nodes[0].html.slice(0, 160)}`);
}

/** Names and octets of what a ZIP has, by two other programs. */
function unpack(path) {
  execFileSync('unzip', ['-tq', path]);
  const script = 'import json, sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n' +
    'print(json.dumps({i.filename: z.read(i).decode("latin-1") for i in z.infolist()}))';
  return JSON.parse(execFileSync('python3', ['-c', script, path], { encoding: 'utf8' }));
}

async function download(page) {
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'As ZIP' }).click()]);
  await file.saveAs(`${OUT}/mails.zip`);
  return unpack(`${OUT}/mails.zip`);
}

test('by mouse: boxes, Ctrl, Shift; a click still opens a mail', async ({ open, assert }) => {
  const page = await begin(open);
  assert.equal(await page.getByRole('listbox', { name: 'Mails' }).getAttribute('aria-multiselectable'), 'true');
  await rows(page).nth(0).hover();
  await rows(page).nth(0).locator('.box').click();
  await eventually('one', async () => assert.match(await bar(page).innerText(), /1 mail selected/));
  assert.equal(new URL(page.url()).search, '');
  await rows(page).nth(2).click({ modifiers: ['Shift'] });
  await eventually('three', async () => assert.match(await bar(page).innerText(), /3 mails selected/));
  await rows(page).nth(1).click({ modifiers: ['ControlOrMeta'] });
  await eventually('two', async () => assert.equal((await picked(page)).length, 2));
  assert.equal(await rows(page).nth(1).getAttribute('aria-selected'), 'false');
  await page.screenshot({ path: `${OUT}/picked.png` });
  await rows(page).nth(1).click();
  await page.locator('article h2').waitFor();
  assert.equal((await picked(page)).length, 2, 'the choice stays');
  assert.deepEqual(await findings(page), []);
  await page.getByRole('button', { name: 'Clear the selection' }).click();
  await eventually('the open mail is what is selected', async () => assert.equal((await picked(page)).length, 1));
  assert.deepEqual(page.problems, []);
});

test('by keyboard: x, Shift and arrows, Ctrl+A, Escape; a new question clears', async ({ open, assert }) => {
  const page = await begin(open);
  await page.keyboard.press('l');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('x');
  await eventually('one', async () => assert.equal((await picked(page)).length, 1));
  await page.keyboard.press('Shift+ArrowDown');
  await eventually('two', async () => assert.equal((await picked(page)).length, 2));
  await page.keyboard.press('Escape');
  await eventually('none', async () => assert.equal((await picked(page)).length, 0));
  await page.keyboard.press('ControlOrMeta+a');
  await eventually('all', async () => assert.equal((await picked(page)).length, 3));
  await page.keyboard.press('/');
  await page.keyboard.type('zebra');
  await page.keyboard.press('Enter');
  await eventually('one hit, not chosen', async () => {
    assert.equal(await rows(page).count(), 1);
    assert.equal((await picked(page)).length, 0);
  });
});

test('the ZIP has the chosen mails, octet for octet', async ({ open, assert }) => {
  const page = await begin(open);
  await page.keyboard.press('l');
  await page.keyboard.press('ControlOrMeta+a');
  await eventually('all', async () => assert.equal((await picked(page)).length, 3));
  const files = await download(page);
  const { items } = await (await page.request.get(`${WEB}/api/v1/messages`)).json();
  const raws = await Promise.all(
    items.map(async ({ id }) => (await (await page.request.get(`${WEB}/api/v1/messages/${id}/raw`)).body()).toString('latin1')),
  );
  assert.deepEqual(Object.values(files).sort(), raws.sort());
  assert.ok(Object.keys(files).every((name) => /^\d{4}-\d\d-\d\d .+\.eml$/.test(name)), Object.keys(files).join());
});

test('a conversation that is chosen brings all its mails', async ({ open, assert }) => {
  const page = await begin(open);
  await page.getByRole('button', { name: 'Group into conversations' }).click();
  await eventually('two rows', async () => assert.equal(await rows(page).count(), 2));
  await rows(page).filter({ has: page.locator('.group') }).click({ modifiers: ['ControlOrMeta'] });
  await eventually('both mails', async () => assert.match(await bar(page).innerText(), /2 mails selected/));
  assert.equal(Object.keys(await download(page)).length, 2);
});

test('what cannot be downloaded is told in the page', async ({ open, assert }) => {
  const page = await begin(open);
  await rows(page).nth(0).click({ modifiers: ['ControlOrMeta'] });
  await page.route('**/messages/zip?*', (route) => route.fulfill({ status: 503, body: '' }));
  await page.getByRole('button', { name: 'As ZIP' }).click();
  await eventually('it says so', async () => assert.ok((await bar(page).getByRole('status').innerText()).length > 20));
});

test('a mail is restored to the address that is offered, and to another', async ({ open, assert }) => {
  const page = await begin(open);
  await rows(page).filter({ hasText: 'Zebra' }).click();
  await page.getByRole('button', { name: 'Restore by mail' }).click();
  const to = page.getByLabel('To', { exact: true });
  assert.equal(await to.inputValue(), 'zoe@x.example');
  assert.deepEqual(await findings(page), []);
  await page.keyboard.press('Enter');
  await page.getByText('Sent to zoe@x.example').waitFor();
  await to.fill('nobody@x.example');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.getByText('550 5.1.1 No such user here').waitFor();
  await page.screenshot({ path: `${OUT}/restore.png` });
  await to.fill('a@b, c@d');
  await page.keyboard.press('Enter');
  await page.getByText('This is not an address.').waitFor();
  await page.keyboard.press('Escape');
  await eventually('the focus is back', async () =>
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Restore by mail'));
  assert.deepEqual(page.problems, []);
});

test('the mail program gets the mail as a file', async ({ open, assert }) => {
  const page = await begin(open);
  await rows(page).filter({ hasText: 'Zebra' }).click();
  const link = page.getByRole('link', { name: 'Open in the mail program' });
  const [file] = await Promise.all([page.waitForEvent('download'), link.click()]);
  assert.match(file.suggestedFilename(), /\.eml$/);
  const answer = await page.request.get(await link.evaluate((a) => a.href));
  assert.equal(answer.headers()['content-type'], 'message/rfc822');
  assert.match(answer.headers()['content-disposition'], /^attachment/);
});

test('on a phone the boxes are there without a mouse', async ({ open, assert }) => {
  const page = await begin(open, '/', { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true });
  await rows(page).nth(0).locator('.box').tap();
  await rows(page).nth(1).locator('.box').tap();
  await eventually('two', async () => assert.match(await bar(page).innerText(), /2 mails selected/));
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await page.screenshot({ path: `${OUT}/picked-phone.png` });
});

await run();
