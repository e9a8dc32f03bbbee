// A script's tests, one after the other, in one browser that ends with them; the language of
// tests/system/browser-lib.sh.
//
//   test('what must hold', async ({ open, assert }) => { const page = await open(); ... });
//   run();
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.PACKAGES}/`);
const { chromium } = require('playwright-core');
export const axeSource = require('axe-core').source;

export const WEB = process.env.WEB;
export const PASSWORD = process.env.PASSWORD;
const passwordOf = (user) => (user === 'admin' ? process.env.ADMIN_PASSWORD : PASSWORD);
const PATIENCE_MS = (process.env.MAILKEEP_VARIANT ?? 'release') === 'release' ? 20000 : 30000;

/** Thrown by a test that cannot run here; the text says why. */
export class Skip extends Error {}

const tests = [];
export function test(name, run) {
  tests.push({ name, run });
}

/** A page of its own in a browser that has nothing stored; what it asks of others than @p friends is refused
 *  and noted. */
async function openPage(browser, { friends = [], ...options } = {}) {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const outside = [];
  await context.route(
    (url) => ![new URL(WEB).origin, ...friends].includes(url.origin) && !['data:', 'blob:', 'about:'].includes(url.protocol),
    (route) => {
      outside.push(route.request().url());
      return route.abort();
    },
  );
  const page = await context.newPage();
  page.outside = outside;
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    page.problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted/i.test(message.text())) page.problems.push(message.text());
  });
  return page;
}

/** As people do. */
export async function signIn(page, user = 'zoe', path = '/') {
  await page.goto(WEB + path);
  await page.fill('#userName', user);
  await page.keyboard.press('Enter');
  await page.fill('#password', passwordOf(user));
  await page.keyboard.press('Enter');
  await page.waitForSelector('header.top');
}

const cookies = new Map();

/** With the session of an earlier test, since checking a password takes the server a while. */
export async function logIn(page, user = 'zoe', path = '/') {
  const known = cookies.get(user);
  if (known === undefined) {
    await signIn(page, user, path);
    cookies.set(user, await page.context().cookies());
    return;
  }
  await page.context().addCookies(known);
  await page.goto(WEB + path);
  await page.waitForSelector('header.top');
}

/** Tries until it holds: what comes by itself takes a moment. */
export async function eventually(what, check) {
  const end = Date.now() + PATIENCE_MS;
  let last;
  do {
    try {
      return await check();
    } catch (error) {
      last = error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } while (Date.now() < end);
  throw new Error(`${what}: ${last.message}`);
}

export async function run() {
  if (process.env.COUNT !== undefined) {
    console.log(tests.length);
    return;
  }
  // Frames in a sandbox stay in the page's process: what they ask for is not seen otherwise.
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-features=IsolateSandboxedIframes'],
  });
  let kept = null;
  try {
    /** One page for tests that leave nothing behind. */
    const keep = async (options) => (kept ??= await openPage(browser, options));
    for (const { name, run: body } of tests) {
      const pages = [];
      const open = async (options) => {
        const page = await openPage(browser, options);
        pages.push(page);
        return page;
      };
      try {
        await body({ open, keep, assert });
        console.log(`ok - ${name}`);
      } catch (error) {
        if (error instanceof Skip) {
          console.log(`ok - ${name} # SKIP ${error.message}`);
        } else {
          console.log(`not ok - ${name}`);
          for (const line of String(error.stack ?? error).split('\n').slice(0, 12)) console.log(`# ${line}`);
        }
      }
      for (const page of pages) await page.context().close();
    }
  } finally {
    await browser.close();
  }
}
