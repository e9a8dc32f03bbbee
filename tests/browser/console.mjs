// T491: what is done in the administration console is done: looked up by the API.
import { readFile } from 'node:fs/promises';
import { api, asAdmin, check, picture } from './console-lib.mjs';
import { eventually, run, test, WEB } from './tap.mjs';

const field = (page, label) => page.getByLabel(label, { exact: true });
const button = (page, name) => page.getByRole('button', { name, exact: true });
const dialog = (page) => page.getByRole('dialog');

test('a user is created with a good password, changed, renamed and deleted', async ({ open, assert }) => {
  const page = await open();
  await asAdmin(page, '/admin/users');
  await button(page, 'Create a user').click();
  await field(page, 'User name').fill('nora');
  await field(page, 'Full name').fill('Nora');
  await dialog(page).getByLabel(/^E-mail addresses/).fill('nora@x.example\nn.neu@x.example');
  await field(page, 'Password').fill('nora');
  const met = () => dialog(page).locator('li.met').count();
  await eventually('some rules are met', async () => assert.equal(await met(), 2));
  await button(page, 'Create').click();
  await dialog(page).getByRole('alert').waitFor();
  await assert.rejects(() => api(page, 'GetUserInfo', { userName: 'nora' }));
  await button(page, 'Make one').click();
  await eventually('all rules are met', async () => assert.equal(await met(), 5));
  await check(page, assert, 'dialog of a new user');
  await picture(page, 'dialog-create-user');
  await button(page, 'Create').click();
  await eventually('the page of the user', async () => assert.equal(await page.locator('#page-title').innerText(), 'nora'));
  const made = await api(page, 'GetUserInfo', { userName: 'nora' });
  assert.deepEqual(made.emailAddresses, ['nora@x.example', 'n.neu@x.example']);
  assert.deepEqual(made.privileges, ['login', 'changePassword']);
  assert.deepEqual(made.privilegesOnFolders, [{ folder: 'nora', privileges: ['read', 'write'] }]);

  await field(page, 'Full name').fill('Nora Neu');
  await button(page, 'Save').first().click();
  await eventually('the name', async () => assert.equal((await api(page, 'GetUserInfo', { userName: 'nora' })).fullName, 'Nora Neu'));
  await field(page, 'Export e-mails').check();
  await button(page, 'Save').nth(1).click();
  await eventually('the privilege', async () =>
    assert.deepEqual((await api(page, 'GetUserInfo', { userName: 'nora' })).privileges, ['login', 'changePassword', 'export']));
  await field(page, 'Archive or folder').fill('zoe');
  await button(page, 'Give access').click();
  await button(page, 'Take away access to zoe').waitFor();
  await button(page, 'Take away access to nora').click();
  await eventually('the access', async () =>
    assert.deepEqual((await api(page, 'GetUserInfo', { userName: 'nora' })).privilegesOnFolders, [{ folder: 'zoe', privileges: ['read'] }]));

  await button(page, 'Rename').click();
  await field(page, 'New name').fill('nora.neu');
  await check(page, assert, 'dialog of a new name');
  await dialog(page).getByRole('button', { name: 'Rename' }).click();
  await eventually('the new name', async () => assert.equal(await page.locator('#page-title').innerText(), 'nora.neu'));
  await api(page, 'CreateUser', { userName: 'gone', privileges: 'none' });
  await page.goto(`${WEB}/admin/users/gone`);
  await button(page, 'Delete').click();
  await check(page, assert, 'question before a user goes');
  await picture(page, 'dialog-delete-user');
  await dialog(page).getByRole('button', { name: 'Delete' }).click();
  await eventually('the list', async () => assert.equal(await page.locator('#page-title').innerText(), 'Users'));
  assert.ok(!(await api(page, 'GetUsers')).some((user) => user.userName === 'gone'));
});

test('a password that is set in the console is the one that counts', async ({ open, assert }) => {
  const page = await open();
  await asAdmin(page, '/admin/users/nora.neu');
  await button(page, 'Make one').click();
  const password = await field(page, 'New password').inputValue();
  await button(page, 'Set the password').click();
  await page.getByText('Saved.').waitFor();
  const answer = await page.request.get(`${WEB}/api/v1/session`, {
    headers: { Authorization: `Basic ${Buffer.from(`nora.neu:${password}`).toString('base64')}`, Cookie: '' },
  });
  assert.equal(answer.status(), 200);
});

test('several users get privileges and access in one step', async ({ open, assert }) => {
  const page = await open();
  await asAdmin(page, '/admin/users');
  for (const name of ['bulk-a', 'bulk-b', 'bulk-c']) await api(page, 'CreateUser', { userName: name, privileges: 'none' });
  await page.reload();
  await page.getByRole('searchbox').fill('bulk-');
  await field(page, 'Choose all that are shown').check();
  await field(page, 'Choose bulk-b').uncheck();
  await button(page, 'Privileges of 2 users').click();
  await field(page, 'Delete e-mails').check();
  await field(page, 'Give access to an archive or folder').check();
  await field(page, 'Archive or folder').fill('lisa');
  await check(page, assert, 'dialog of several');
  await picture(page, 'dialog-bulk');
  await button(page, 'Apply').click();
  await dialog(page).waitFor({ state: 'detached' });
  for (const name of ['bulk-a', 'bulk-c']) {
    const { privileges, privilegesOnFolders } = await api(page, 'GetUserInfo', { userName: name });
    assert.deepEqual(privileges, ['login', 'changePassword', 'delete']);
    assert.deepEqual(privilegesOnFolders, [{ folder: 'lisa', privileges: ['read'] }]);
  }
  assert.deepEqual((await api(page, 'GetUserInfo', { userName: 'bulk-b' })).privileges, []);
  await page.goto(`${WEB}/admin/access`);
  const row = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'lisa', exact: true }) });
  assert.match(await row.innerText(), /bulk-a\s+Read/);
});

test('thousands of users are found by a word', async ({ open, assert }) => {
  const page = await open();
  const users = Array.from({ length: 5000 }, (_, i) => ({
    userName: `user${i}`, fullName: `Full ${i}`, distinguishedName: '', authentication: 'integrated', hasPassword: true,
    emailAddresses: [`u${i}@x.example`], pop3UserNames: [], privileges: ['login'], privilegesOnFolders: [], archive: `user${i}`,
  }));
  await page.route('**/invoke/GetUserOverview', (route) => route.fulfill({
    json: { error: null, token: null, statusVersion: 2, statusCode: 'succeeded', result: users },
  }));
  await asAdmin(page, '/admin/users');
  await page.getByText('5,000 users').waitFor();
  assert.ok((await page.getByRole('row').count()) <= 101);
  await page.getByRole('searchbox').fill('u4711@');
  await page.getByRole('link', { name: 'user4711' }).waitFor();
  assert.equal(await page.getByRole('row').count(), 2);
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

test('the shell runs a function, says what is missing, and asks before it takes something away', async ({ open, assert }) => {
  const page = await open();
  await asAdmin(page, '/admin/shell/SetUserFullName');
  await page.locator('#arg-userName').fill('bulk-b');
  await page.locator('#arg-fullName').fill("Bert O'Bulk");
  assert.match(await page.locator('.command code').innerText(), /^mailkeep -c SetUserFullName --userName=bulk-b --fullName='Bert O'\\''Bulk'$/);
  await button(page, 'Run').click();
  await page.getByText('Done. There is nothing to show.').waitFor();
  assert.equal((await api(page, 'GetUserInfo', { userName: 'bulk-b' })).fullName, "Bert O'Bulk");
  await page.locator('#arg-userName').fill('nobody-at-all');
  await button(page, 'Run').click();
  await page.getByRole('alert').getByText('There is no such thing').waitFor();
  await page.getByRole('link', { name: 'DeleteUser' }).click();
  await eventually('an empty form', async () => assert.equal(await page.locator('#arg-userName').inputValue(), ''));
  await page.locator('#arg-userName').fill('bulk-b');
  await button(page, 'Run').click();
  await check(page, assert, 'question of the shell');
  await dialog(page).getByRole('button', { name: 'Cancel' }).click();
  assert.ok((await api(page, 'GetUsers')).some((user) => user.userName === 'bulk-b'));
  await button(page, 'Run').click();
  await dialog(page).getByRole('button', { name: 'Run' }).click();
  await page.getByText('Done. There is nothing to show.').waitFor();
  assert.ok(!(await api(page, 'GetUsers')).some((user) => user.userName === 'bulk-b'));
  await page.goto(`${WEB}/admin/shell/GetVersion`);
  await button(page, 'Run').click();
  await page.locator('pre').getByText('"Mailkeep"').waitFor();
  await picture(page, 'shell-answer');
  await page.goto(`${WEB}/admin/shell/VerifyStores`);
  await button(page, 'Run').click();
  await page.getByText('succeeded').waitFor();
});

test('every function of the server has its form', async ({ open, assert }) => {
  const page = await open();
  await asAdmin(page, '/admin/shell');
  const functions = await (await page.request.get(`${WEB}/api/v1/get-metadata`)).json();
  await eventually('the list', async () =>
    assert.deepEqual(await page.locator('.list li').allInnerTexts(), functions.map(({ name }) => name)));
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
  await page.getByText(/Nothing has come to journal@archive\.example since/).waitFor();
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
  await page.getByLabel('Certificate with those', { exact: false }).first().fill('CHAIN');
  await page.getByLabel('Private key (PEM)', { exact: true }).fill('KEY');
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
