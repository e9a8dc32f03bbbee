// T494: the certificate of the services is replaced in the console, and openssl sees it at the port at once.
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { api, asAdmin, button, check, dialog, picture } from './console-lib.mjs';
import { eventually, run, test, WEB } from './tap.mjs';

const HOST = 'archive.example.com';
const at = (name) => `${process.env.OUT_DIR}/${name}`;
const openssl = (...args) => execFileSync('openssl', args, { encoding: 'utf8', input: '', stdio: ['pipe', 'pipe', 'pipe'] });

/** A certificate and its key, signed by @p by or by itself; made by openssl. */
function make(name, subject, extension, by = name) {
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', subject,
    '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`));
  writeFileSync(at(`${name}.ext`), extension);
  const signer = by === name ? ['-signkey', at(`${name}.key`)] : ['-CA', at(`${by}.pem`), '-CAkey', at(`${by}.key`), '-CAcreateserial'];
  openssl('x509', '-req', '-in', at(`${name}.csr`), '-days', '90', '-extfile', at(`${name}.ext`), ...signer, '-out', at(`${name}.pem`));
}

const AUTHORITY = 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n';
const server = (name) => `basicConstraints=CA:FALSE\nsubjectAltName=DNS:${name}\n`;

/** What a client is shown: the server's certificates, its own first. */
function shown() {
  const { host } = new URL(WEB);
  const text = openssl('s_client', '-connect', host, '-servername', HOST, '-showcerts');
  return text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g).map((pem) => new X509Certificate(pem));
}

const read = (name) => readFileSync(at(name), 'utf8');
const printOf = (name) => new X509Certificate(read(name)).fingerprint256;
const files = (page) => page.locator('.pem input[type=file]');
const inUse = (page) => page.locator('section[aria-labelledby=certificate-current] code').first().innerText();

async function replace(page, chain, key) {
  await files(page).nth(0).setInputFiles(at(chain));
  await files(page).nth(1).setInputFiles(at(key));
  await button(page, 'Use this certificate').click();
  await dialog(page).getByRole('button', { name: 'Use this certificate' }).click();
}

function makeAll() {
  make('root', '/CN=Example Root', AUTHORITY);
  make('between', '/CN=Example Issuing CA', AUTHORITY, 'root');
  make('server', `/CN=${HOST}`, server(HOST), 'between');
  make('other', '/CN=other.example.com', server('other.example.com'), 'between');
  writeFileSync(at('chain.pem'), read('server.pem') + read('between.pem'));
}

test('a certificate with its chain is taken, and the port shows it without a restart', async ({ open, assert }) => {
  makeAll();
  const page = await open();
  await asAdmin(page, '/admin/certificate');
  await page.getByText('itself (self-signed)').waitFor();
  const before = shown();
  assert.notEqual(before[0].fingerprint256, printOf('server.pem'));
  await replace(page, 'chain.pem', 'server.key');
  await page.getByText('CN=Example Issuing CA').waitFor();
  assert.deepEqual(shown().map((each) => each.fingerprint256), [printOf('server.pem'), printOf('between.pem')]);
  assert.equal((await inUse(page)).replaceAll(':', '').toLowerCase(), printOf('server.pem').replaceAll(':', '').toLowerCase());
  const said = openssl('s_client', '-connect', new URL(WEB).host, '-servername', HOST, '-CAfile', at('root.pem'),
    '-verify_hostname', HOST, '-verify_return_error', '-brief');
  assert.doesNotMatch(said, /error/i);
  assert.deepEqual(await page.locator('.pem textarea').evaluateAll((all) => all.map(({ value }) => value)), ['', ''],
    'the key does not stay on the page');
  await check(page, assert, 'a new certificate');
  await picture(page, 'certificate-new');
});

test('the key of another certificate is refused, and the one in use stays', async ({ open, assert }) => {
  const page = await open();
  await asAdmin(page, '/admin/certificate');
  await page.getByText('CN=Example Issuing CA').waitFor();
  await replace(page, 'chain.pem', 'other.key');
  const alert = dialog(page).getByRole('alert');
  await alert.waitFor();
  assert.match(await alert.innerText(), /The private key does not belong to the certificate\./);
  await check(page, assert, 'a wrong key');
  await picture(page, 'certificate-wrong-key');
  await dialog(page).getByRole('button', { name: 'Cancel' }).click();
  assert.equal(shown()[0].fingerprint256, printOf('server.pem'));
  await replace(page, 'server.key', 'server.key');
  await alert.waitFor();
  await picture(page, 'certificate-no-certificate');
  assert.equal(shown()[0].fingerprint256, printOf('server.pem'));
});

test('a self-signed one is made for the host name that was chosen', async ({ open, assert }) => {
  const page = await open();
  await asAdmin(page, '/admin/certificate');
  await page.getByLabel(/Host name/).fill('keep.example.net');
  await button(page, 'Save').click();
  await page.getByText('Saved.').waitFor();
  await page.getByText('The certificate is not for the name of this server.').waitFor();
  await button(page, 'Make a self-signed one …').click();
  await dialog(page).getByRole('button', { name: 'Make it' }).click();
  await page.getByText('itself (self-signed)').waitFor();
  await eventually('no warning of the name', async () =>
    assert.equal(await page.getByText('The certificate is not for the name of this server.').count(), 0));
  const [made, ...more] = shown();
  assert.equal(more.length, 0);
  assert.equal(made.checkHost('keep.example.net'), 'keep.example.net');
  assert.equal(made.checkHost(HOST), undefined);
  writeFileSync(at('self.pem'), made.toString());
  openssl('verify', '-CAfile', at('self.pem'), '-verify_hostname', 'keep.example.net', at('self.pem'));
  assert.equal((await api(page, 'GetCertificate')).fingerprint.replaceAll(':', '').toLowerCase(),
    made.fingerprint256.replaceAll(':', '').toLowerCase());
});

await run();
