// T492: every page of the administration console on a phone of 320 pixels, by axe.
import { walk } from './console-lib.mjs';
import { run, test } from './tap.mjs';

const PHONE = { width: 320, height: 640 };

test('every page on a phone of 320 pixels, dark, English', async ({ open, assert }) => {
  await walk(await open({ viewport: PHONE, hasTouch: true, colorScheme: 'dark', locale: 'en-GB' }), assert, 'phone-dark-en');
});

test('every page on a phone of 320 pixels, light, German', async ({ open, assert }) => {
  await walk(await open({ viewport: PHONE, hasTouch: true, colorScheme: 'light', locale: 'de-DE' }), assert, 'phone-light-de');
});

await run();
