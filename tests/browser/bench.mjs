// For tests/bench/web.py: types searches letter by letter and scrolls through all mails, and prints what the
// page's own clock says of each step as JSON.
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.PACKAGES}/`);
const { chromium } = require('playwright-core');
const { WEB, ADMIN_PASSWORD } = process.env;

const TYPED = ['rechnung', 'meeting monday', 'from:anna', 'angebot *nung', '"mit freundlichen"', 'project -report', 'liefer*'];
const KEY_MS = 150;
const JUMPS = 60;

/** In the page: when each search left and came, and when a paint followed the rows that it changed. */
function watch() {
  const log = (globalThis.bench = { searches: [], key: 0 });
  const original = globalThis.fetch;
  addEventListener('input', () => (log.key = performance.now()), true);
  globalThis.fetch = async (...all) => {
    const url = new URL(String(all[0]), location.href);
    if (!url.pathname.endsWith('/search') || url.searchParams.get('offset') !== '0') return original(...all);
    const search = { q: url.searchParams.get('q'), key: log.key, sent: performance.now() };
    const answer = await original(...all);
    const json = answer.json.bind(answer);
    answer.json = async () => {
      const value = await json();
      search.answered = performance.now();
      // The frame in which the rows change, and the one behind it: then the first has been painted.
      requestAnimationFrame(() => requestAnimationFrame(() => (search.painted = performance.now())));
      log.searches.push(search);
      return value;
    };
    return answer;
  };
}

async function signIn(page) {
  await page.goto(WEB);
  await page.fill('#userName', 'admin');
  await page.keyboard.press('Enter');
  await page.fill('#password', ADMIN_PASSWORD);
  await page.keyboard.press('Enter');
  await page.locator('[role=option][id^=row-]').first().waitFor();
}

async function type(page, text) {
  await page.keyboard.press('/');
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  await page.waitForTimeout(400);
  await page.keyboard.type(text, { delay: KEY_MS });
  await page.waitForTimeout(1500);
}

async function typed(page) {
  await type(page, 'erste'); // warms up
  await page.evaluate(() => (globalThis.bench.searches.length = 0));
  for (const text of TYPED) await type(page, text);
  const searches = await page.evaluate(() => globalThis.bench.searches);
  return searches
    .filter((s) => s.painted !== undefined)
    .map((s) => ({ q: s.q, wait: s.sent - s.key, answer: s.answered - s.sent, repaint: s.painted - s.answered }));
}

/** To places all over the list: how long until rows stand there, and the longest frame until then. */
function jump(share) {
  return new Promise((resolve) => {
    const scroller = document.querySelector('.scroller');
    const began = performance.now();
    let last = began;
    let frame = 0;
    scroller.scrollTop = Math.floor((scroller.scrollHeight - scroller.clientHeight) * share);
    const look = (now) => {
      frame = Math.max(frame, now - last);
      last = now;
      const box = scroller.getBoundingClientRect();
      const row = document.elementFromPoint(box.left + 40, box.top + box.height / 2)?.closest('[role=option]');
      if ((row && !row.querySelector('.ghost')) || now - began > 5000)
        resolve({ share, shown: performance.now() - began, frame, done: Boolean(row) });
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}

async function scrolled(page) {
  await page.goto(WEB);
  await page.locator('[role=option][id^=row-]').first().waitFor();
  const found = [];
  for (let i = 1; i <= JUMPS; i++) {
    found.push(await page.evaluate(jump, (i * 0.618034) % 1)); // far from the one before
    await page.waitForTimeout(100);
  }
  return found;
}

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 800 }, locale: 'en-GB' });
  await page.addInitScript(watch);
  page.setDefaultTimeout(60_000);
  await signIn(page);
  const times = { typed: await typed(page), scrolled: await scrolled(page) };
  console.log(JSON.stringify({ ...times, total: await page.locator('header p').first().innerText() }));
} finally {
  await browser.close();
}
