// T410: what people do: sign in, look through folders, search, read, come back to where they were.
import { eventually, logIn, PASSWORD, run, signIn, test, WEB } from './tap.mjs';

const rows = (page) => page.locator('[role=option][id^=row-]');
const subjects = (page) => page.locator('[role=option][id^=row-] .subject').allInnerTexts();

function mailFrame(page) {
  return page.frameLocator('iframe[src="/frame.html"]').frameLocator('iframe');
}

/** A server that has ever so many mails; what was asked of it is in the returned list. */
async function withManyMails(page, total) {
  const asked = [];
  await page.route(/\/api\/v1\/messages\?/, (route) => {
    const query = new URL(route.request().url()).searchParams;
    const offset = Number(query.get('offset'));
    asked.push(query);
    const items = Array.from({ length: Math.min(Number(query.get('limit')), total - offset) }, (_, i) => ({
      id: `1:${offset + i + 1}`,
      subject: `Mail ${offset + i}`,
      from: 'Zoe <zoe@x.example>',
      to: '',
      date: '2026-01-02T03:04:05Z',
      archived: '2026-01-02T03:04:05Z',
      size: 1000,
      folder: 'zoe/Journal Incoming',
      hasAttachments: false,
      kind: 'in',
    }));
    return route.fulfill({ json: { total, items } });
  });
  return asked;
}

test('signing in takes two steps and tells nothing of wrong names', async ({ open, assert }) => {
  const page = await open();
  await page.goto(WEB);
  await page.locator('#userName:focus').waitFor();
  await page.keyboard.type('nobody');
  await page.keyboard.press('Enter');
  await page.locator('#password:focus').waitFor();
  await page.keyboard.type('wrong');
  await page.keyboard.press('Enter');
  await eventually('it says so', async () =>
    assert.equal(await page.getByRole('alert').innerText(), 'Wrong user name or password.'));
  assert.equal(await page.locator('#password').inputValue(), '');
  await page.getByRole('button', { name: 'Use another name' }).click();
  await page.fill('#userName', 'zoe');
  await page.keyboard.press('Enter');
  await page.fill('#password', PASSWORD);
  await page.keyboard.press('Enter');
  await rows(page).first().waitFor();
});

test('a session is found again, and is over after signing out', async ({ open, assert }) => {
  const page = await open();
  await signIn(page);
  await page.reload();
  await rows(page).first().waitFor();
  await page.getByRole('button', { name: 'Account and settings' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.locator('#userName').waitFor();
  await page.reload();
  await page.locator('#userName').waitFor();
  assert.equal((await page.request.get(`${WEB}/api/v1/folders`)).status(), 401);
});

test('a session that ends leads to signing in and back to the same place', async ({ open, assert }) => {
  const page = await open();
  await logIn(page, 'zoe', '/search?q=zebra');
  await rows(page).first().waitFor();
  await page.context().clearCookies();
  await rows(page).first().click();
  await page.getByText('Your session has ended').waitFor();
  await page.fill('#userName', 'zoe');
  await page.keyboard.press('Enter');
  await page.fill('#password', PASSWORD);
  await page.keyboard.press('Enter');
  await eventually('the mail is open', async () =>
    assert.equal(await page.locator('article h2').innerText(), 'Zebra crossing'));
});

test('folders lead to their mails', async ({ open, assert }) => {
  const page = await open();
  await logIn(page);
  await page.getByRole('treeitem', { name: 'Journal Incoming' }).click();
  await eventually('the folder is open', async () =>
    assert.equal(decodeURIComponent(new URL(page.url()).pathname), '/folder/zoe/Journal Incoming'));
  await eventually('its mails are listed', async () => assert.equal((await subjects(page)).length, 3));
});

test('mails are sorted as one likes', async ({ open, assert }) => {
  const page = await open();
  await logIn(page);
  await eventually('newest first', async () =>
    assert.deepEqual(await subjects(page), ['Re: Offer 4711 and planning', 'Offer 4711 and planning', 'Zebra crossing']));
  await page.getByLabel('Sort by').selectOption('from');
  await eventually('by sender', async () => assert.equal((await subjects(page))[0], 'Zebra crossing'));
  await page.getByRole('button', { name: 'Ascending' }).click();
  await eventually('the other way round', async () => assert.equal((await subjects(page))[2], 'Zebra crossing'));
  assert.match(page.url(), /sort=from&order=desc/);
  await page.getByLabel('Sort by').selectOption('to');
  await eventually('from A by recipient', async () => assert.match(page.url(), /sort=to(&|$)/));
  const asked = page.waitForResponse((answer) => /[?&]sort=to&order=desc/.test(answer.url()));
  await page.getByRole('button', { name: 'Ascending' }).click();
  assert.equal((await asked).status(), 200);
});

test('100,000 mails scroll with a few rows and few requests', async ({ open, assert }) => {
  const page = await open();
  const asked = await withManyMails(page, 100_000);
  await logIn(page);
  await rows(page).first().waitFor();
  const scroller = page.locator('.scroller');
  await scroller.evaluate((element) => element.scrollTo(0, element.scrollHeight / 2));
  await eventually('the middle', async () => assert.match((await subjects(page))[8] ?? '', /^Mail (49|50)\d{3}$/));
  await page.locator('[role=listbox][aria-label=Mails]').focus();
  await page.keyboard.press('End');
  await eventually('the end', async () => assert.equal((await subjects(page)).at(-1), 'Mail 99999'));
  assert.ok((await rows(page).count()) < 40, 'few rows are made');
  assert.ok(asked.length < 12, `${asked.length} requests`);
});

test('a million mails have an end as well', async ({ open, assert }) => {
  const page = await open();
  await withManyMails(page, 1_000_000);
  await logIn(page);
  await rows(page).first().waitFor();
  await page.locator('[role=listbox][aria-label=Mails]').focus();
  await page.keyboard.press('End');
  await eventually('the end', async () => assert.equal((await subjects(page)).at(-1), 'Mail 999999'));
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Home');
  await eventually('the beginning', async () => assert.equal((await subjects(page))[0], 'Mail 0'));
});

test('hits come while one types, and the last word counts', async ({ open, assert }) => {
  const page = await open();
  await logIn(page);
  await rows(page).first().waitFor();
  let slow = true;
  await page.route(/\/api\/v1\/search\?.*q=ze(&|$)/, async (route) => {
    if (slow) await new Promise((resolve) => setTimeout(resolve, 1500));
    slow = false;
    await route.continue().catch(() => {});
  });
  await page.keyboard.press('/');
  await page.keyboard.type('ze');
  await page.waitForTimeout(250);
  await page.keyboard.type('bra');
  await eventually('one hit', async () => assert.deepEqual(await subjects(page), ['Zebra crossing']));
  assert.equal(await page.locator('[role=option] mark').first().innerText(), 'Zebra');
  await page.waitForTimeout(1600);
  assert.deepEqual(await subjects(page), ['Zebra crossing'], 'the older answer changes nothing');
  assert.equal(new URL(page.url()).search, '?q=zebra');
});

test('a search that cannot be understood says why', async ({ open, assert }) => {
  const page = await open();
  await logIn(page, 'zoe', '/search?q=%3Feier');
  await eventually('the hint', async () =>
    assert.match(await page.getByRole('alert').innerText(), /Word 1: .*\*/s));
});

test('the extended search finds by folder and days and stays to be changed', async ({ open, assert }) => {
  const page = await open();
  await logIn(page);
  await page.getByRole('button', { name: 'Extended search' }).click();
  await page.getByLabel('Folder', { exact: true }).selectOption('zoe/Journal Incoming');
  await page.getByLabel('Date', { exact: true }).selectOption('custom');
  await page.getByLabel('Date: First day').fill('2026-11-20');
  await page.getByLabel('Date: Last day').fill('2026-11-20');
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await eventually('one hit', async () => assert.deepEqual(await subjects(page), ['Offer 4711 and planning']));
  await page.getByRole('button', { name: 'Extended search' }).click();
  assert.equal(await page.getByLabel('Date: First day').inputValue(), '2026-11-20');
});

test('one searches in a folder, and from there everywhere', async ({ open, assert }) => {
  const page = await open();
  await logIn(page, 'zoe', '/folder/zoe/Journal%20Incoming');
  await page.getByRole('button', { name: 'Search here' }).click();
  assert.equal(await page.getByLabel('Folder', { exact: true }).inputValue(), 'zoe/Journal Incoming');
  await page.getByLabel('Search for').fill('zebra');
  await page.keyboard.press('Enter');
  await page.getByText('in zoe/Journal Incoming').waitFor();
  await eventually('one hit', async () => assert.deepEqual(await subjects(page), ['Zebra crossing']));
  await page.getByRole('button', { name: 'Search in all folders' }).click();
  await eventually('everywhere', async () => assert.equal(new URL(page.url()).search, '?q=zebra'));
});

test('a mail is shown as it was meant, and asks nothing of others unbidden', async ({ open, assert }) => {
  const page = await open();
  await logIn(page, 'zoe', '/search?q=subject:offer');
  await page.getByRole('option').filter({ hasText: /^(?!.*Re:).*Offer/s }).click();
  const body = mailFrame(page);
  await body.getByText('of the quarter').waitFor();
  assert.equal(await body.locator('#styled').evaluate((e) => getComputedStyle(e).color), 'rgb(1, 2, 3)');
  assert.match(await body.locator('#logo').getAttribute('src'), /^data:image\/png;base64,/);
  assert.equal(await body.locator('#logo').evaluate((e) => e.naturalWidth), 24);
  assert.equal(await body.getByText('See the offer').getAttribute('title'), 'https://shop.example/offer?id=4711');
  assert.deepEqual(page.outside, []);
  assert.deepEqual(page.problems, []);
  await page.getByRole('button', { name: 'Load pictures' }).click();
  await eventually('the picture is asked for', async () =>
    assert.deepEqual(page.outside, ['https://tracker.example/pixel.gif']));
});

test('text, header and source of a mail', async ({ open, assert }) => {
  const page = await open();
  await logIn(page, 'zoe', '/search?q=zebra');
  await rows(page).first().click();
  await page.getByRole('tabpanel').getByText('Nothing to do with it.').waitFor();
  await page.keyboard.press('3');
  await page.getByRole('cell', { name: '<zebra@partner.example>' }).waitFor();
  await page.keyboard.press('4');
  await eventually('its source', async () =>
    assert.match(await page.locator('pre').innerText(), /^From: Anna <anna@partner\.example>/));
  await page.keyboard.press('2');
  await page.locator('.text').waitFor();
});

test('plain text has links and quotations', async ({ open, assert }) => {
  const page = await open();
  await logIn(page, 'zoe', '/search?q=subject:re');
  await rows(page).first().click();
  const link = page.getByRole('link', { name: 'https://intranet.example/planning' });
  assert.equal(await link.getAttribute('rel'), 'noopener noreferrer');
  assert.equal((await page.locator('.block[data-depth="2"]').innerText()).trim(), '>> What came before.');
});

test('attachments are shown and downloaded, and so is the mail', async ({ open, assert }) => {
  const page = await open();
  await logIn(page, 'zoe', '/search?q=subject:offer+-subject:re');
  await rows(page).first().click();
  await page.getByRole('button', { name: /^sketch\.png/ }).click();
  await eventually('the picture', async () =>
    assert.equal(await page.getByRole('dialog').getByRole('img').evaluate((e) => e.naturalWidth), 24));
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: /^notes\.txt/ }).click();
  await page.getByRole('dialog').getByText('Notes of the meeting').waitFor();
  const [attachment] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('dialog').getByRole('link', { name: 'Download' }).click(),
  ]);
  assert.equal(attachment.suggestedFilename(), 'notes.txt');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  const [mail] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('d')]);
  assert.match(mail.suggestedFilename(), /^mail-1-\d+\.eml$/);
});

test('a mail has a link of its own', async ({ open, assert }) => {
  const page = await open();
  await logIn(page, 'zoe', '/search?q=zebra');
  await rows(page).first().click();
  const id = new URL(page.url()).searchParams.get('mail');
  await page.goto(`${WEB}/message/${id}`);
  await page.getByRole('heading', { name: 'Zebra crossing' }).waitFor();
  assert.equal(await rows(page).count(), 0);
  await page.goto(`${WEB}/message/1:99999`);
  await page.getByText('There is nothing here, or you may not see it.').waitFor();
});

test('what is not hers is not seen', async ({ open, assert }) => {
  const page = await open();
  await logIn(page, 'lisa');
  await page.getByText('No mails here.').waitFor();
  await page.goto(`${WEB}/folder/zoe/Journal%20Incoming`);
  await page.getByText('There is nothing here, or you may not see it.').waitFor();
  assert.equal(await page.getByRole('treeitem').filter({ hasText: 'zoe' }).count(), 0);
});

test('after Enter the keys are the list\'s, even before it has come', async ({ open, assert }) => {
  const page = await open();
  await logIn(page, 'zoe', '/search?q=nothingofthatkind');
  await page.getByText('Nothing found.').waitFor();
  await page.route(/q=zebra/, async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    await route.continue();
  });
  await page.getByRole('combobox', { name: 'Search mails' }).fill('zebra');
  await page.keyboard.press('Enter');
  await eventually('the list has the keys', async () =>
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute('role')), 'listbox'));
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Zebra crossing' }).waitFor();
});

test('the step back leads to where one was', async ({ open, assert }) => {
  const page = await open();
  await logIn(page);
  await rows(page).first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('zebra', { delay: 120 });
  await page.keyboard.press('Enter');
  await eventually('one hit', async () => assert.equal((await subjects(page)).length, 1));
  await page.keyboard.press('j');
  await page.getByRole('heading', { name: 'Zebra crossing' }).waitFor();
  await page.goBack();
  await page.getByText('No mail is open').waitFor();
  assert.equal((await subjects(page)).length, 1);
  await page.goBack();
  await eventually('all mails', async () => assert.equal((await subjects(page)).length, 3));
  assert.equal(await page.getByRole('combobox', { name: 'Search mails' }).inputValue(), '');
});

/** Told to print, the hidden frame keeps what it would have printed. */
async function catchPrint(page) {
  await page.addInitScript(() => {
    const known = Object.getOwnPropertyDescriptor(HTMLIFrameElement.prototype, 'contentWindow').get;
    Object.defineProperty(HTMLIFrameElement.prototype, 'contentWindow', {
      get() {
        const inner = known.call(this);
        if (this.className === 'print') inner.print = () => (top.printed = this);
        return inner;
      },
    });
    const attach = Element.prototype.attachShadow;
    Element.prototype.attachShadow = function (options) {
      return attach.call(this, { ...options, mode: 'open' });
    };
    window.print = () => (window.printed = document);
  });
}

test('a mail is printed as it looks, in full, with who wrote to whom above it', async ({ open, assert }) => {
  const page = await open();
  await catchPrint(page);
  await logIn(page, 'zoe', '/search?q=subject:offer+-subject:re');
  await rows(page).first().click();
  await mailFrame(page).getByText('of the quarter').waitFor();
  await page.keyboard.press('Shift+P');
  await eventually('it is told to print', () => page.waitForFunction(() => globalThis.printed, { timeout: 200 }));
  const { sandbox, body, marks, lines } = await page.evaluate(() => {
    const doc = globalThis.printed.contentDocument;
    const list = doc.body.firstElementChild.shadowRoot.querySelectorAll('dt, dd');
    return {
      sandbox: globalThis.printed.getAttribute('sandbox'),
      body: doc.querySelector('[data-print]').textContent,
      marks: doc.querySelectorAll('mark').length,
      lines: [...list].map((element) => element.textContent),
    };
  });
  assert.equal(sandbox, 'allow-same-origin allow-modals', 'no scripts and no windows');
  assert.match(body, /The planning of the quarter/);
  assert.equal(marks, 0, 'hits are for the screen');
  assert.deepEqual(lines.filter((_, i) => i % 2 === 0).slice(0, 3), ['Date:', 'From:', 'To:']);
  assert.ok(lines.includes('Lisa Müller <lisa@partner.example>'), lines.join('|'));
  assert.ok(lines.includes('Offer 4711 and planning'));
});

test('a text is printed with the page', async ({ open, assert }) => {
  const page = await open();
  await catchPrint(page);
  await logIn(page, 'zoe', '/search?q=zebra');
  await rows(page).first().click();
  await page.getByRole('tabpanel').getByText('Nothing to do with it.').waitFor();
  await page.keyboard.press('Shift+P');
  assert.equal(await page.evaluate(() => globalThis.printed === document), true);
  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.getByRole('heading', { name: 'Zebra crossing' }).isVisible(), true);
  assert.equal(await page.locator('.list, .toolbar, header.top').filter({ visible: true }).count(), 0);
});

const innerFrame = (page) => page.frames().find((f) => f.parentFrame()?.url().endsWith('/frame.html'));

test('hits are marked in HTML, and one goes from one to the next', async ({ open, assert }) => {
  const page = await open();
  await logIn(page, 'zoe', '/search?q=planning+quarter+subject:offer+-subject:re');
  await rows(page).first().click();
  const marks = mailFrame(page).locator('mark');
  await eventually('both words', async () => assert.deepEqual(await marks.allInnerTexts(), ['planning', 'quarter']));
  await page.getByText('– of 2').waitFor();
  await page.getByRole('button', { name: 'Next hit' }).click();
  await page.getByText('1 of 2').waitFor();
  const target = () => innerFrame(page).evaluate(() => document.querySelector('mark:target')?.textContent);
  await eventually('the first', async () => assert.equal(await target(), 'planning'));
  await page.locator('article').focus();
  await page.keyboard.press('h');
  await eventually('the second', async () => assert.equal(await target(), 'quarter'));
  await page.keyboard.press('Shift+H');
  await eventually('the first again', async () => assert.equal(await target(), 'planning'));
});

test('one finds in a mail what one did not search for, in HTML and in text', async ({ open, assert }) => {
  const page = await open();
  await logIn(page, 'zoe', '/search?q=subject:offer+-subject:re');
  await rows(page).first().click();
  await mailFrame(page).getByText('of the quarter').waitFor();
  await page.keyboard.press('i');
  await page.getByRole('searchbox', { name: 'Find in this mail' }).fill('PLANNING  of the qu');
  const marks = mailFrame(page).locator('mark');
  await eventually('across elements', async () => {
    assert.equal((await marks.allInnerTexts()).join(''), 'planning of the qu');
    await page.getByText('– of 1').waitFor();
  });
  await page.keyboard.press('Enter');
  await page.getByText('1 of 1').waitFor();
  await page.keyboard.press('Escape');
  await eventually('nothing is marked', async () => assert.equal(await marks.count(), 0));
  await page.locator('article').focus();
  await page.keyboard.press('2');
  await page.keyboard.press('i');
  await page.keyboard.type('zzz');
  await page.getByText('No hits').waitFor();
  await page.getByRole('searchbox', { name: 'Find in this mail' }).fill('e');
  await eventually('in text', async () => assert.ok((await page.locator('.text mark').count()) > 1));
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('.text mark.current').count(), 1);
});

await run();
