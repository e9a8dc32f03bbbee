// T411: what a document says, what became of each attachment's text, and hints in one's own language.
import { eventually, logIn, run, test, WEB } from './tap.mjs';

async function openPapers(open, path = '/search?q=subject:papers', options = {}) {
  const page = await open(options);
  await logIn(page, 'zoe', path);
  await page.locator('[role=option][id^=row-]').first().click();
  await page.locator('#mail-content').waitFor();
  return page;
}

async function shows(page, name, text) {
  await page.getByRole('button', { name: new RegExp(`^${name}`) }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(text).first().waitFor();
  return dialog;
}

test('of a PDF pages and text are shown, never the document', async ({ open, assert }) => {
  const page = await openPapers(open);
  const dialog = await shows(page, 'paper.pdf', 'Page 1 of 1');
  await dialog.getByRole('img', { name: 'Page 1 of 1' }).waitFor();
  assert.equal(await dialog.locator('iframe, object, embed, a[href^=blob]').count(), 0);
  await dialog.getByRole('button', { name: 'Text', exact: true }).click();
  await dialog.getByText('Quarterly figures of the harbour').waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('link', { name: 'Download' }).click(),
  ]);
  assert.equal(download.suggestedFilename(), 'paper.pdf');
  assert.deepEqual(page.problems, []);
});

test('of a page its text is shown', async ({ open, assert }) => {
  const page = await openPapers(open);
  const dialog = await shows(page, 'page.html', 'Ferry times');
  assert.doesNotMatch(await dialog.locator('pre').innerText(), /alert|</);
  assert.deepEqual(page.problems, []);
});

test('what cannot be read says so', async ({ open, assert }) => {
  const page = await openPapers(open);
  await shows(page, 'broken.pdf', /could not be read to its end|There is no text/);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await page.getByRole('button', { name: /^data\.bin/ }).count(), 0, 'nothing that is no document');
});

test('the server reads a document for those only who may read its mail', async ({ open, assert }) => {
  const page = await openPapers(open);
  const id = new URL(page.url()).searchParams.get('mail');
  const { attachments } = await (await page.request.get(`${WEB}/api/v1/messages/${id}`)).json();
  const paper = attachments.find((a) => a.name === 'paper.pdf');
  const path = `${WEB}/api/v1/messages/${id}/attachments/${paper.n}/text`;
  const answer = await page.request.get(path);
  assert.deepEqual(await answer.json(), { result: 'complete', text: (await answer.json()).text });
  assert.match((await answer.json()).text, /Quarterly figures/);
  assert.equal((await page.request.get(path.replace(`/${paper.n}/`, '/99/'))).status(), 404);
  const other = await open();
  await logIn(other, 'lisa');
  assert.equal((await other.request.get(path)).status(), 404);
});

test('each attachment tells whether its text is found, in both languages', async ({ open, assert }) => {
  const told = async (page) => {
    const found = page.locator('.found');
    await eventually('the index has them', async () => {
      await page.reload();
      await found.first().waitFor();
      assert.equal(await found.count(), 5);
    });
    return found.evaluateAll((elements) => elements.map((e) => e.title));
  };
  const english = await told(await openPapers(open));
  assert.match(english[0], /can be found/);
  assert.match(english[2], /password/);
  assert.match(english[3], /not indexed/);
  const german = await told(await openPapers(open, undefined, { locale: 'de-DE' }));
  assert.match(german[0], /zu finden/);
  assert.match(german[2], /braucht ein Passwort/);
  assert.match(german[3], /nicht im Index/);
});

test('one searches for what became of attachments', async ({ open, assert }) => {
  const page = await open();
  await logIn(page);
  const search = async (box, count) => {
    await page.getByRole('button', { name: 'Extended search' }).click();
    await page.getByRole('button', { name: 'New search' }).click();
    await page.getByLabel(box).check();
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await eventually(box, async () => {
      await page.reload();
      await page.locator('[role=option][id^=row-], .empty .title').first().waitFor();
      assert.equal(await page.locator('[role=option][id^=row-]').count(), count);
    });
  };
  await search('needs a password', 1);
  assert.equal(new URL(page.url()).search, '?text=encrypted');
  await search('can be found in part', 0);
  await page.getByRole('button', { name: 'Extended search' }).click();
  assert.equal(await page.getByLabel('Store').count(), 0, 'stores are for administrators');
});

test('an administrator searches in one store', async ({ open, assert }) => {
  const page = await open();
  await logIn(page, 'admin');
  await page.getByRole('button', { name: 'Extended search' }).click();
  const stores = page.getByLabel('Store', { exact: true });
  await stores.waitFor();
  assert.equal(await stores.locator('option').count(), 2);
  await stores.selectOption({ index: 1 });
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await eventually('it is asked for', async () => assert.equal(new URL(page.url()).search, '?store=1'));
  assert.equal(await page.getByRole('alert').count(), 0);
});

const HINTS = [
  ['?x', 'Word 1: a ? may not stand', 'Wort 1: Ein ? darf nicht'],
  ['a b?', 'Word 2: a ? may not stand', 'Wort 2: Ein ? darf nicht'],
  ['東*京', 'Word 1: a * may not stand between', 'Wort 1: Ein * darf nicht zwischen'],
];

for (const [locale, at] of [['en-GB', 1], ['de-DE', 2]])
  test(`a wrong query is explained, ${locale}`, async ({ open, assert }) => {
    const page = await open({ locale });
    await logIn(page);
    for (const hint of HINTS) {
      await page.goto(`${WEB}/search?q=${encodeURIComponent(hint[0])}`);
      const told = page.locator('.empty[role=alert]');
      await told.waitFor();
      assert.ok((await told.innerText()).includes(hint[at]), await told.innerText());
    }
    const many = Array.from({ length: 300 }, (_, i) => `w${i}`).join('+');
    await page.goto(`${WEB}/search?q=${many}`);
    assert.match(await page.locator('.empty[role=alert]').innerText(), at === 1 ? /more than .* words/ : /mehr als .* Wörter/);
  });

test('a hit that only a document explains says so in the list, in both languages', async ({ open, assert }) => {
  const told = async (locale) => {
    const page = await open({ locale });
    await logIn(page, 'zoe', '/search?q=harbour');
    return page.locator('#row-0 .snippet').innerText();
  };
  assert.equal(await told('en-GB'), 'In an attachment');
  assert.equal(await told('de-DE'), 'In einem Anhang');
});

await run();
