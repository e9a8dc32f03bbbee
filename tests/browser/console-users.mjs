// T491: what is done with users, and in the shell, of the administration console is done: looked up by the API.
import { api, asAdmin, button, check, dialog, field, picture } from './console-lib.mjs';
import { eventually, run, test, WEB } from './tap.mjs';

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

await run();
