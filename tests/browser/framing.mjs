// T422: what a page of another site can do with ours while somebody is logged in: nothing.
import { createServer } from 'node:http';
import { eventually, logIn, run, test, WEB } from './tap.mjs';

const server = createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end(`<!doctype html><title>evil</title><body>${decodeURIComponent(request.url.split('?')[1] ?? '')}`);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
// A name of its own, so that it is another site and not only another port.
const EVIL = `http://evil.localhost:${server.address().port}`;

const evil = (html) => `${EVIL}/?${encodeURIComponent(html)}`;

async function begin(open) {
  const page = await open({ friends: [EVIL] });
  await logIn(page);
  await page.locator('[role=option]').first().waitFor();
  return page;
}

const PATHS = ['/', '/search?q=offer', '/message/1:1', '/frame.html', '/api/v1/session', '/api/v1/folders', '/favicon.svg'];

for (const [name, make] of [
  ['a frame', (url) => `<iframe id=x src="${url}" width=600 height=400></iframe>`],
  ['a frame in a sandbox', (url) => `<iframe id=x sandbox="allow-scripts allow-same-origin allow-forms" src="${url}"></iframe>`],
  ['an object', (url) => `<object id=x data="${url}" width=600 height=400></object>`],
  ['an embed', (url) => `<embed id=x src="${url}" width=600 height=400>`],
])
  test(`clickjacking: no path of ours is shown in ${name} of another site`, async ({ open, assert }) => {
    const page = await begin(open);
    for (const path of PATHS) {
      await page.goto(evil(make(WEB + path)));
      await page.waitForTimeout(400);
      for (const frame of page.frames().slice(1)) {
        const text = await frame.locator('body').innerText({ timeout: 1000 }).catch(() => '');
        assert.doesNotMatch(text, /Mailkeep|Offer|csrfToken|folders/, `${path}: ${frame.url()}`);
        assert.ok(!frame.url().startsWith(WEB), `${path}: ${frame.url()}`);
      }
    }
  });

test('clickjacking: the frame around a mail is not shown by another site either', async ({ open, assert }) => {
  const page = await begin(open);
  await page.goto(evil(`<iframe id=x src="${WEB}/frame.html"></iframe>`));
  await page.waitForTimeout(400);
  await page.evaluate(() => {
    globalThis.told = [];
    addEventListener('message', (event) => globalThis.told.push(event.data));
    frames[0].postMessage({ kind: 'show', html: ['<p>x</p>'], images: {}, withRemote: true, title: '' }, '*');
  });
  await page.waitForTimeout(300);
  assert.deepEqual(await page.evaluate(() => globalThis.told), []);
});

test('a window of ours that another site opens has no tie to it', async ({ open, assert }) => {
  const page = await begin(open);
  await page.goto(evil('<button id=b>x</button>'));
  await page.evaluate((url) => {
    document.querySelector('#b').onclick = () => (globalThis.opened = window.open(url));
  }, `${WEB}/message/1:1`);
  const [ours] = await Promise.all([page.context().waitForEvent('page'), page.click('#b')]);
  await ours.waitForLoadState();
  assert.equal(await ours.evaluate(() => opener), null, 'it does not know who opened it');
  const seen = await page.evaluate(() => {
    try {
      return [globalThis.opened.closed, globalThis.opened.length];
    } catch (error) {
      return String(error);
    }
  });
  assert.deepEqual(seen, [true, 0], 'who opened it sees nothing, not even how many frames it has');
});

test('what another site asks for in the user\'s name it cannot read', async ({ open, assert }) => {
  const page = await begin(open);
  await page.goto(evil(''));
  const results = await page.evaluate(async (web) => {
    const found = [];
    for (const path of ['session', 'folders', 'search?q=offer', 'messages/1:1/raw'])
      for (const mode of ['cors', 'no-cors'])
        try {
          const answer = await fetch(`${web}/api/v1/${path}`, { credentials: 'include', mode });
          found.push(`${path} ${mode}: ${answer.type} ${(await answer.text()).length}`);
        } catch {
          // as it should be
        }
    return found;
  }, WEB);
  assert.deepEqual(results, []);
});

test('nothing of ours is a script, a style or a picture of another site', async ({ open, assert }) => {
  const page = await begin(open);
  await page.goto(evil(''));
  const loaded = await page.evaluate(async (web) => {
    const kinds = { script: 'src', img: 'src', link: 'href', audio: 'src' };
    const found = [];
    for (const [name, attribute] of Object.entries(kinds))
      for (const path of ['/api/v1/session', '/api/v1/folders', '/favicon.svg'])
        await new Promise((resolve) => {
          const element = document.createElement(name);
          if (name === 'link') element.rel = 'stylesheet';
          element.onload = () => resolve(found.push(`${name} ${path}`));
          element.onerror = resolve;
          element[attribute] = web + path;
          document.body.append(element);
          setTimeout(resolve, 1500);
        });
    return found;
  }, WEB);
  assert.deepEqual(loaded, []);
});

test('a form of another site changes nothing', async ({ open, assert }) => {
  const page = await begin(open);
  for (const [path, kind] of [
    ['invoke/DeleteUser', 'application/x-www-form-urlencoded'],
    ['saved-searches', 'text/plain'],
    ['session', 'text/plain'],
  ]) {
    await page.goto(evil(`<form method=post enctype="${kind}" action="${WEB}/api/v1/${path}"><input name=userName value=zoe><button>x</button></form>`));
    const [answer] = await Promise.all([page.waitForResponse(/\/api\/v1\//), page.click('button')]);
    assert.ok([400, 401, 403].includes(answer.status()), `${path}: ${answer.status()}`);
    assert.equal(answer.request().headers().cookie, undefined, 'the cookie stays at home');
  }
  await page.goto(WEB);
  await page.locator('[role=option]').first().waitFor();
});

test('a link of another site is followed, and the session is found there', async ({ open, assert }) => {
  const page = await begin(open);
  await page.goto(evil(`<a href="${WEB}/search?q=zebra">x</a>`));
  await page.click('a');
  await page.waitForSelector('header.top');
  await eventually('the hit', async () => assert.equal(await page.locator('[role=option][id^=row-]').count(), 1));
});

test('the page runs nothing that is not its own', async ({ open, assert }) => {
  const page = await begin(open);
  const blocked = await page.evaluate(async () => {
    const script = document.createElement('script');
    const refused = [];
    try {
      script.text = 'globalThis.ran = 1';
      document.body.append(script);
    } catch {
      refused.push('script');
    }
    try {
      document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="globalThis.ran = 1">');
    } catch {
      refused.push('markup');
    }
    // Later, since what the debugger runs may do more than the page.
    await new Promise((resolve) =>
      setTimeout(() => {
        try {
          globalThis.eval('globalThis.ran = 1');
        } catch {
          refused.push('eval');
        }
        setTimeout(resolve, 200);
      }),
    );
    return { refused, ran: globalThis.ran };
  });
  assert.deepEqual(blocked, { refused: ['script', 'markup', 'eval'], ran: undefined });
});

await run();
server.close();
