// T450: suggestions, text around hits, conversations, saved searches, and every criterion.
import { eventually, logIn, run, Skip, test, WEB } from './tap.mjs';

const subjects = (page) => page.locator('[role=option][id^=row-] .subject').allInnerTexts();
const OFFER = 'Offer 4711 and planning';

/** A server without these things is none of this test's business. */
async function begin(open, path = '/') {
  const page = await open();
  await logIn(page, 'zoe', path);
  if ((await page.request.get(`${WEB}/api/v1/saved-searches`)).status() === 404)
    throw new Skip('this server has no saved searches');
  return page;
}

test('words and addresses are suggested', async ({ open, assert }) => {
  const page = await begin(open);
  await page.keyboard.press('/');
  await page.keyboard.type('from:lis', { delay: 30 });
  const offered = page.locator('#suggestions [role=option]');
  await eventually('an address', async () =>
    assert.match(await offered.first().innerText(), /from:lisa@partner\.example/));
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await eventually('it is searched for', async () => assert.deepEqual(await subjects(page), [OFFER]));
  assert.equal(await page.getByRole('combobox', { name: 'Search mails' }).inputValue(), 'from:lisa@partner.example ');
});

test('some text stands around each hit', async ({ open, assert }) => {
  const page = await begin(open, '/search?q=monday');
  await eventually('the word is marked', async () =>
    assert.deepEqual(await page.locator('.snippet mark').allInnerTexts(), ['Monday']));
});

test('conversations are one row, and can be walked through', async ({ open, assert }) => {
  const page = await begin(open);
  await page.getByRole('button', { name: 'Group into conversations' }).click();
  await eventually('two rows', async () => assert.equal((await subjects(page)).length, 2));
  assert.equal(await page.locator('.group').innerText(), '2');
  await page.locator('#row-0').click();
  await page.getByText('2 mails in this conversation').last().click();
  const mails = page.getByRole('list', { name: 'Conversation' }).getByRole('link');
  assert.equal(await mails.count(), 2);
  await mails.first().click();
  await page.getByRole('heading', { name: OFFER, exact: true }).waitFor();
});

test('a search is saved, run, renamed and deleted', async ({ open, assert }) => {
  const page = await begin(open, '/search?q=offer&preset=this-year');
  await page.getByRole('button', { name: 'Save this search' }).click();
  await page.getByLabel('Name').fill('Offers');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'Offers' }).waitFor();
  await page.goto(WEB);
  await page.getByRole('link', { name: 'Offers' }).click();
  await eventually('it runs', async () => assert.equal(new URL(page.url()).search, '?q=offer&preset=this-year'));
  await page.getByRole('button', { name: 'Edit “Offers”' }).click();
  await page.getByLabel('Name').fill('What was offered');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'What was offered' }).waitFor();
  await page.getByRole('button', { name: 'Edit “What was offered”' }).click();
  await page.getByRole('button', { name: 'Change its criteria' }).click();
  assert.equal(await page.getByLabel('Date', { exact: true }).inputValue(), 'this-year');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Edit “What was offered”' }).click();
  await page.getByRole('button', { name: 'Delete' }).click();
  await eventually('it is gone', async () =>
    assert.equal(await page.getByRole('link', { name: 'What was offered' }).count(), 0));
});

test('every criterion of the form counts', async ({ open, assert }) => {
  const page = await begin(open);
  const search = async (fill, expected) => {
    await page.getByRole('button', { name: 'Extended search' }).click();
    await page.getByRole('button', { name: 'New search' }).click();
    await fill();
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await eventually(String(fill), async () => assert.deepEqual(await subjects(page), expected));
  };
  await search(() => page.getByLabel('From', { exact: true }).fill('max'), ['Re: Offer 4711 and planning']);
  await search(() => page.getByLabel('To, Cc or Bcc').fill('max'), [OFFER]);
  await search(() => page.getByLabel('Attachments', { exact: true }).selectOption('with'), [OFFER]);
  await search(() => page.getByLabel('At least', { exact: true }).fill('900'), []);
  await search(async () => {
    await page.getByLabel('Search for').fill('planning');
    for (const box of ['Subject', 'Message', 'Sender and recipients', 'Attachment contents'])
      await page.getByLabel(box, { exact: true }).uncheck();
  }, []);
  await search(() => page.getByLabel('High').uncheck(), ['Re: Offer 4711 and planning', OFFER, 'Zebra crossing']);
  await search(() => page.getByLabel('Normal').uncheck(), []);
});

await run();
