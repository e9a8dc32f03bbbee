// T493: what is done with archives, mailboxes, indexes and the machine in the administration console is done:
// looked up by the API.
import { readFile } from 'node:fs/promises';
import { api, asAdmin, button, check, dialog, field, PAGES, picture } from './console-lib.mjs';
import { eventually, run, test, WEB } from './tap.mjs';

test('every page is there by its address', async ({ open, assert }) => {
  const page = await open();
  await asAdmin(page);
  for (const path of PAGES) {
    await page.goto(`${WEB}/admin/${path}`);
    await page.locator('#page-title').waitFor();
    assert.doesNotMatch(await page.title(), /no such page/, path);
  }
  await page.goto(`${WEB}/admin/nothing`);
  await eventually('it says so', async () =>
    assert.equal(await page.locator('#page-title').innerText(), 'There is no such page'));
});

test('a journal mailbox is created, suspended and deleted', async ({ open, assert }) => {
  const page = await open();
  await asAdmin(page, '/admin/journals');
  await button(page, 'Create a journal mailbox').click();
  await dialog(page).getByLabel(/^Address/).fill('second@archive.example');
  await field(page, 'Name').fill('Second');
  await check(page, assert, 'dialog of a journal mailbox');
  await button(page, 'Create').click();
  const card = page.getByRole('region', { name: 'second@archive.example' });
  await card.waitFor();
  await card.getByRole('button', { name: 'Suspend' }).click();
  await dialog(page).getByRole('button', { name: 'Suspend' }).click();
  await card.getByText('suspended').waitFor();
  const kept = () => api(page, 'GetGatewayMailboxes').then((all) => all.find(({ name }) => name === 'Second'));
  assert.equal((await kept()).status, 'suspended');
  await card.getByRole('button', { name: 'Delete' }).click();
  await check(page, assert, 'question before a journal mailbox goes');
  await dialog(page).getByRole('button', { name: 'Delete' }).click();
  await card.waitFor({ state: 'detached' });
  assert.equal(await kept(), undefined);
});

test('a verification is begun, watched and known afterwards', async ({ open, assert }) => {
  const page = await open();
  await asAdmin(page, '/admin/stores');
  await button(page, 'Verify all').click();
  const box = page.getByRole('region', { name: 'Verification of all storage locations' });
  await box.getByText('succeeded').waitFor();
  await box.getByText('Log').click();
  assert.match(await box.locator('pre').innerText(), /No errors were found/);
  await page.getByText(/no errors/).first().waitFor();
  await check(page, assert, 'a verification');
  await picture(page, 'verification');
  const { stores } = await api(page, 'GetDashboard');
  assert.equal(stores[0].verifiedErrors, 0);
  assert.ok(stores[0].verified !== null);
});

test('a long-running call is found again after loading the page anew, and cancelled', async ({ open, assert }) => {
  const page = await open();
  const asked = [];
  const envelope = (more) => ({ error: null, token: 't0', statusVersion: 3, statusCode: 'running', percentProgress: 40,
    statusText: 'Reading', result: null, logOutput: 'begun\r\n', ...more });
  await page.route('**/invoke/VerifyStores', (route) => route.fulfill({ json: envelope({}) }));
  await page.route('**/cancel-async', (route) => (asked.push('cancel'), route.fulfill({ json: envelope({}) })));
  await page.route('**/get-status', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await route.fulfill({ json: asked.length === 0 ? envelope({ logOutput: null }) : envelope({ token: null, statusCode: 'cancelled' }) });
  });
  await asAdmin(page, '/admin/stores');
  await button(page, 'Verify all').click();
  await page.getByRole('progressbar').waitFor();
  await page.reload();
  await eventually('its progress', async () =>
    assert.equal(await page.getByRole('progressbar').getAttribute('aria-valuenow'), '40'));
  await check(page, assert, 'a verification that runs');
  await button(page, 'Cancel').click();
  await page.getByText('cancelled').waitFor();
  assert.deepEqual(asked, ['cancel']);
});

test('index settings are kept, and an index is rebuilt', async ({ open, assert }) => {
  const page = await open();
  await asAdmin(page, '/admin/indexes');
  await page.getByRole('checkbox', { name: /PDF/ }).uncheck();
  await page.getByLabel(/^Further file name/).fill('dat');
  await button(page, 'Save').click();
  await page.getByText('Saved.').waitFor();
  const { kinds, extensions } = await api(page, 'GetIndexSettings');
  assert.equal(kinds.find(({ name }) => name === 'pdf').indexed, false);
  assert.equal(kinds.find(({ name }) => name === 'html').indexed, true);
  assert.deepEqual(extensions, ['dat']);
  await button(page, 'Rebuild the index of zoe').click();
  await page.getByRole('region', { name: 'Rebuilding a search index' }).getByText('succeeded').waitFor();
  await button(page, 'Rebuild all …').click();
  await dialog(page).getByRole('button', { name: 'Rebuild' }).click();
  await page.getByRole('region', { name: 'Rebuilding search indexes' }).getByText('succeeded').waitFor();
});

test('the table of archives is taken along as CSV', async ({ open, assert }) => {
  const page = await open();
  await asAdmin(page, '/admin/archives');
  await page.getByRole('rowheader', { name: 'zoe' }).waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Download as CSV').click()]);
  const lines = (await readFile(await download.path(), 'utf8')).replace('\ufeff', '').trim().split('\r\n');
  const sums = new Map();
  for (const { folder, count, size } of await api(page, 'GetFolderStatistics')) {
    const [name] = folder.split('/');
    const [c, s] = sums.get(name) ?? [0, 0];
    sums.set(name, [c + count, s + size]);
  }
  const all = [...sums.values()].reduce((sum, [, s]) => sum + s, 0);
  const expected = [...sums].map(([name, [c, s]]) =>
    `"${name.startsWith('@') ? "'" : ''}${name}","${c}","${Math.round((s / all) * 1000) / 10}","${s}"`);
  assert.deepEqual(lines.slice(1).sort(), expected.sort());
});

test('home warns of a silent mailbox, a full disk and a failed verification', async ({ open, assert }) => {
  const page = await open();
  await page.route('**/invoke/GetDashboard', async (route) => {
    const answer = await (await route.fetch()).json();
    const d = answer.result;
    d.journals[0] = { ...d.journals[0], silent: true, lastArrival: '2026-01-02T03:04:05' };
    d.stores[0].verifiedErrors = 3;
    d.disk = { freeBytes: 5e9, totalBytes: 100e9 };
    d.arrivals.days.forEach((day, i) => (day.count = (i * 37) % 101));
    await route.fulfill({ json: answer });
  });
  await asAdmin(page);
  await page.getByText(/Nothing comes to journal@archive\.example any more/).waitFor();
  await page.getByText(/found errors: 3/).waitFor();
  await page.getByText(/nearly full: 5 GB/).waitFor();
  await page.getByText('As a table').click();
  assert.equal(await page.locator('figure tbody tr').count(), 30);
  await check(page, assert, 'home with alarms');
  await page.getByText('As a table').click();
  await picture(page, 'home-alarms');
});

const CERTIFICATE = {
  subject: 'CN=archive.example.com', issuer: 'CN=Example CA', names: ['archive.example.com'], notBefore: '2026-01-02T03:04:05',
  notAfter: '2027-01-02T03:04:05', fingerprint: 'AB'.repeat(32), publicKey: 'CD'.repeat(20), selfSigned: false,
  chainLength: 2, fixed: false, warnings: ['name-missing'],
};

/** A server that can do more; what was asked of it is in the returned list. */
async function withFunctions(page, results) {
  const asked = [];
  await page.route('**/get-metadata', async (route) => {
    const known = (await (await route.fetch()).json()).filter(({ name }) => !(name in results));
    await route.fulfill({ json: [...known, ...Object.keys(results).map((name) => ({ name, args: [] }))] });
  });
  for (const [name, result] of Object.entries(results))
    await page.route(`**/invoke/${name}`, (route) => {
      asked.push([name, Object.fromEntries(new URLSearchParams(route.request().postData() ?? ''))]);
      return route.fulfill({ json: { error: null, token: null, statusVersion: 2, statusCode: 'succeeded', result } });
    });
  return asked;
}

test('where the server has one, its certificate is shown and replaced', async ({ open, assert }) => {
  const page = await open();
  const machine = { hostname: 'archive.example.com', hostnameFixed: false, certificateFixed: false, restartNeeded: true };
  const asked = await withFunctions(page, {
    GetCertificate: CERTIFICATE, SetCertificate: { ...CERTIFICATE, warnings: [] }, CreateSelfSignedCertificate: CERTIFICATE,
    GetMachineSettings: machine, SetMachineSettings: machine,
  });
  await asAdmin(page, '/admin/certificate');
  await page.getByText('The certificate is not for the name of this server.').waitFor();
  await page.getByRole('textbox', { name: /^Certificate with those/ }).fill('CHAIN');
  await page.getByRole('textbox', { name: 'Private key (PEM)' }).fill('KEY');
  await check(page, assert, 'certificate');
  await picture(page, 'certificate');
  await button(page, 'Use this certificate').click();
  await check(page, assert, 'question before a certificate');
  await dialog(page).getByRole('button', { name: 'Use this certificate' }).click();
  await page.getByText('The certificate is not for the name of this server.').waitFor({ state: 'detached' });
  assert.deepEqual(asked.find(([name]) => name === 'SetCertificate'), ['SetCertificate', { certificate: 'CHAIN', key: 'KEY' }]);
  await page.getByLabel(/Host name/).fill('other.example.com');
  await button(page, 'Save').click();
  await page.getByText('Saved.').waitFor();
  assert.deepEqual(asked.find(([name]) => name === 'SetMachineSettings')[1], { hostname: 'other.example.com' });
});

test('pages of what the server cannot do are not there', async ({ open, assert }) => {
  const page = await open();
  await page.route('**/get-metadata', async (route) => {
    const known = await (await route.fetch()).json();
    await route.fulfill({ json: known.filter(({ name }) => !/Certificate|Smtp/.test(name)) });
  });
  await asAdmin(page);
  await page.getByRole('link', { name: 'Services' }).waitFor();
  assert.equal(await page.getByRole('link', { name: /^(Certificate|Outgoing)/ }).count(), 0);
  await page.goto(`${WEB}/admin/certificate`);
  await page.getByText('There is no such page').waitFor();
});

test('an error is told in the language of the user', async ({ open, assert }) => {
  const page = await open({ locale: 'de-DE' });
  await page.route('**/invoke/GetActiveSessions', (route) => route.fulfill({
    json: { error: { message: 'The disk is full.', details: 'no-space' }, token: null, statusVersion: 2, statusCode: 'failed', result: null },
  }));
  await asAdmin(page, '/admin/sessions');
  assert.match(await page.getByRole('alert').innerText(), /Die Festplatte ist voll/);
});

await run();
