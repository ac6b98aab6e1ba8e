// The chat's client in Rust in a page, the example chat_wasm, beside the page in JavaScript and the terminal client.
'use strict';
const assert = require('node:assert');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { test } = require('node:test');
const {
  TEXTS, fill, heard, law, paste, say, sound, state,
} = require('./chat-support');

const PAGES = path.join(process.env.PAGES, 'chat');
const DESKTOP = { width: 1000, height: 640 };
const PHONE = { width: 375, height: 667 };

// A test whose server has the page, too; `enter` joins with it.
function wasm(name, body) {
  law(name, (chat) => body({
    ...chat,
    visit: () => chat.open('wasm/'),
    enter: (member, at = chat.url) => chat.join(member, `${at}wasm/`),
  }), ['--wasm', PAGES]);
}

wasm('Rust and JavaScript in pages and a terminal hear each other, whatever the text', async ({ enter, join, terminal }) => {
  const [ada, bob] = [await enter('Ada'), await join('Bob')];
  const cy = await terminal('Cy');
  for (const [page, name] of [[ada, 'Ada'], [bob, 'Bob']]) {
    for (const text of TEXTS) {
      await say(page, text);
      for (const each of [ada, bob]) await heard(each, name, text);
      await cy.hears(`${name}: ${text.replaceAll('\n', '\n  | ')}`);
    }
  }
  cy.says('<b>from</b> the terminal');
  for (const page of [ada, bob]) await heard(page, 'Cy', '<b>from</b> the terminal');
  assert.equal(await ada.title(), 'tea');
  assert.equal(await ada.locator('.sending').count(), 0);
  assert.deepEqual(await ada.locator('#list bdi').allTextContents(), ['Ada', 'Bob', 'Cy']);
  const colours = (page) => page.locator('#said article').evaluateAll((all) => all.map((each) => /hue-\d/.exec(each.className)[0]));
  assert.deepEqual(await colours(ada), await colours(bob));
  cy.says('/quit');
  await ada.getByText('Cy left').waitFor();
});

wasm('a MiB of text is folded and shown whole on demand', async ({ enter, join }) => {
  const [ada, bob] = [await enter('Ada'), await join('Bob')];
  const text = 'שלום 👩‍🚀 and no play. '.repeat(50_000).slice(0, 1 << 20).trimEnd();
  await paste(ada, text);
  await ada.locator('.sending').waitFor({ state: 'detached' });
  await bob.getByRole('button', { name: /^Show all/ }).click();
  assert.equal(await bob.locator('.text').evaluate((p) => p.textContent), text);
  await paste(bob, text);
  for (const number of [0, 1]) {
    const message = ada.locator('#said .message').nth(number);
    await message.locator('summary').click();
    assert.equal(await message.locator('.text').evaluateAll((all) => all.map((each) => each.textContent).join('')), text);
  }
  await paste(ada, 'a'.repeat((2 << 20) + 1));
  await ada.getByText('That is too long').waitFor();
  await paste(ada, '\u0001'.repeat(1 << 20));
  await ada.getByText('That is too long').waitFor();
  assert.equal(await ada.locator('#text').inputValue().then(({ length }) => length), 1 << 20);
});

wasm('controls are pictures', async ({ enter }) => {
  const ada = await enter('Ada');
  await say(ada, 'a\u0007b\u202egnp.exe');
  await heard(ada, 'Ada', 'a␇b\ufffdgnp.exe');
});

wasm('a name that is taken is refused, and another is not', async ({ enter, visit, join }) => {
  await join('Ada');
  const other = await visit();
  await fill(other, 'tea', 'ADA');
  await other.getByText('Somebody in the room has that name already').waitFor();
  assert.equal(await other.evaluate('document.activeElement.id'), 'join-name');
  await fill(other, 'tea', 'x'.repeat(33));
  await other.getByText('A name has 1 to 32').waitFor();
  await fill(other, 'tea', 'Ada the second');
  await state(other, 'Connected');
});

wasm('who types is shown, and not for ever', async ({ enter, join }) => {
  const [ada, bob] = [await enter('Ada'), await join('Bob')];
  await ada.locator('#text').pressSequentially('hello there', { delay: 30 });
  await bob.getByText('Ada is typing').waitFor();
  assert.equal(await ada.getByText('is typing').count(), 0);
  await bob.locator('#text').pressSequentially('hello', { delay: 30 });
  await ada.getByText('Bob is typing').waitFor();
  await ada.getByText('Bob is typing').waitFor({ state: 'detached', timeout: 5000 });
});

wasm('a late member gets the history, and one who left and comes back gets it once', async ({ enter, join }) => {
  const bob = await join('Bob');
  for (let n = 0; n < 5; n += 1) await say(bob, `message ${n}`);
  const ada = await enter('Ada');
  const all = async () => {
    for (let n = 0; n < 5; n += 1) await heard(ada, 'Bob', `message ${n}`);
    assert.equal(await ada.locator('#said .message').count(), 5);
    assert.equal(await ada.locator('#log').getAttribute('aria-busy'), 'false');
  };
  await all();
  await ada.getByRole('button', { name: 'Leave the room' }).click();
  await bob.getByText('Ada left').waitFor();
  await fill(ada, 'coffee', 'Ada');
  await ada.getByRole('heading', { name: 'coffee' }).waitFor();
  assert.equal(await ada.locator('#said .message').count(), 0);
  await ada.getByRole('button', { name: 'Leave the room' }).click();
  await fill(ada, 'tea', 'Ada');
  await all();
});

wasm('a server that goes says why, and the page comes back by itself', async ({ enter, join, server }) => {
  const [ada, bob] = [await enter('Ada'), await join('Bob')];
  await say(ada, 'before');
  await heard(bob, 'Ada', 'before');
  // Shown until the first attempt to come back, soon after.
  const told = ada.getByText(/The server is going away \(1001: the server is restarting\)\. Trying again in \d s\./).waitFor();
  await server.stop('SIGTERM');
  await told;
  await state(ada, 'Not connected');
  await ada.locator('#text').fill('typed meanwhile');
  await ada.keyboard.press('Enter');
  await ada.getByText('Not connected. Your message stays here').waitFor();
  await ada.getByText('The server can’t be reached. Trying again in').waitFor();
  await server.start();
  for (const page of [ada, bob]) await state(page, 'Connected');
  await ada.locator('#text').press('Enter');
  await heard(bob, 'Ada', 'typed meanwhile');
  await server.stop('SIGKILL');
  await ada.getByText('The connection was lost').or(ada.getByText('The server can’t be reached')).first().waitFor();
  await server.start();
  await ada.evaluate('window.dispatchEvent(new Event("online"))');
  for (const page of [ada, bob]) await state(page, 'Connected');
  await say(ada, 'here again');
  await heard(bob, 'Ada', 'here again');
  for (const text of ['before', 'typed meanwhile', 'here again']) {
    for (const page of [ada, bob]) assert.equal(await page.getByText(text).count(), 1);
  }
});

wasm('the log stays at its end, or where it is read', async ({ enter, join, server }) => {
  const [ada, bob] = [await enter('Ada'), await join('Bob')];
  for (let n = 0; n < 20; n += 1) await say(bob, `line ${n}\nand more\nof it`);
  await heard(ada, 'Bob', 'line 19\nand more\nof it');
  const log = ada.locator('#log');
  const gap = () => log.evaluate(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight);
  assert.ok(await gap() < 2);
  await log.evaluate((log) => { log.scrollTop = 0; });
  await say(bob, 'unread');
  await heard(ada, 'Bob', 'unread');
  assert.ok(await gap() > 100);
  await say(ada, 'read');
  await heard(ada, 'Ada', 'read');
  assert.ok(await gap() < 2);
  await server.stop('SIGKILL');
  await ada.getByText('Trying again in').waitFor();
  assert.ok(await gap() < 2);
});

wasm('pauses between attempts grow, and "Try now" ends one', async ({ enter, server }) => {
  const ada = await enter('Ada');
  await server.stop('SIGKILL');
  await ada.getByText(/Trying again in ([5-9]|\d\d) s/).waitFor({ timeout: 40_000 });
  await server.start();
  await ada.getByRole('button', { name: 'Try now' }).click();
  await state(ada, 'Connected');
});

wasm('what was said and not heard back comes back to the box, unless it was delivered', async ({ enter, join, proxied }) => {
  const proxy = await proxied();
  const [ada, bob] = [await enter('Ada', proxy.url), await join('Bob')];
  assert.equal(await ada.evaluate('location.port'), new URL(proxy.url).port);
  proxy.swallow();
  await say(ada, 'into the void');
  await ada.getByText('Sending…').waitFor();
  await ada.locator('#text').fill('a draft');
  proxy.cut();
  await ada.getByText('That was not delivered').waitFor({ timeout: 40_000 });
  assert.equal(await ada.locator('#text').inputValue(), 'into the void\na draft');
  assert.equal(await ada.locator('.sending').count(), 0);
  await ada.locator('#text').press('Enter');
  await heard(bob, 'Ada', 'into the void\na draft');
  // Delivered, but the echo was lost: the history tells.
  proxy.deafen();
  await say(ada, 'heard by others');
  await heard(bob, 'Ada', 'heard by others');
  proxy.cut();
  await heard(ada, 'Ada', 'heard by others');
  assert.equal(await ada.locator('#text').inputValue(), '');
  assert.equal(await bob.getByText('heard by others').count(), 1);
});

wasm('after a close with 1008 it does not come back by itself, but asks and says why', async ({ visit }) => {
  const ada = await visit();
  let server;
  await ada.routeWebSocket(/\/ws$/, (page) => { server = page.connectToServer(); });
  await fill(ada, 'tea', 'Ada');
  await state(ada, 'Connected');
  server.send('{"join":{"room":"tea","name":"Ada"}}');
  await ada.getByText('The server closed the connection (1008: this connection has joined already).').waitFor();
  await fill(ada, 'tea', 'Ada');
  await state(ada, 'Connected');
});

wasm('all can be done by keyboard alone', async ({ visit, join }) => {
  const bob = await join('Bob');
  const page = await visit();
  await page.waitForFunction(() => document.activeElement.id === 'join-name');
  await page.evaluate(() => {
    document.getElementById('join').addEventListener('close', () => { window.reopened = document.activeElement.id; }, { once: true });
  });
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => window.reopened === 'join-name');
  await page.keyboard.type('Ada');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.type('tea');
  await page.keyboard.press('Enter');
  await state(page, 'Connected');
  assert.equal(await page.evaluate('document.activeElement.id'), 'text');
  await page.keyboard.type('one');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('two');
  await page.keyboard.press('Enter');
  await heard(bob, 'Ada', 'one\ntwo');
  await page.locator('.skip').focus();
  const stops = [];
  for (let n = 0; n < 6; n += 1) {
    stops.push(await page.evaluate('document.activeElement.id || document.activeElement.className'));
    await page.keyboard.press('Tab');
  }
  assert.deepEqual(stops, ['skip', 'members-button', 'leave', 'log', 'text', 'send']);
  await page.locator('.skip').press('Enter');
  assert.equal(await page.evaluate('document.activeElement.id'), 'text');
  await page.locator('#members-button').press('Enter');
  assert.equal(await page.locator('#members').isVisible(), true);
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#members').isVisible(), false);
  assert.equal(await page.evaluate('document.activeElement.id'), 'members-button');
  await page.locator('#leave').press('Enter');
  await page.locator('#join').waitFor();
});

for (const scheme of ['light', 'dark']) {
  for (const [device, size] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    wasm(`axe finds nothing and nothing is cut off: ${scheme}, ${device}`, async ({ visit, join }) => {
      const bob = await join('Bob');
      const page = await visit();
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize(size);
      await page.locator('#join').waitFor();
      await sound(page);
      await fill(page, 'tea', 'bob');
      await page.getByText('Somebody in the room').waitFor();
      await sound(page);
      await fill(page, 'tea', 'Ada with a name of 32 characters');
      await state(page, 'Connected');
      for (const text of [...TEXTS, 'w'.repeat(4000)]) {
        await say(page, text);
        await say(bob, text);
      }
      await page.locator('summary').nth(1).click();
      await bob.locator('#text').pressSequentially('hm');
      await page.getByText('Bob is typing').waitFor();
      await sound(page);
      await page.locator('#members-button').click();
      await page.getByRole('complementary').waitFor();
      await sound(page);
    });
  }
}

wasm('only its own page may compile WebAssembly, and only its files are served', async ({ url }) => {
  const policy = async (name) => (await fetch(`${url}${name}`)).headers.get('content-security-policy');
  assert.match(await policy('wasm'), /script-src 'self' 'wasm-unsafe-eval';/);
  assert.match(await policy(''), /script-src 'self';/);
  for (const name of ['wasm/index.html', 'wasm/..%2fpage.css', 'wasm/build']) assert.equal((await fetch(`${url}${name}`)).status, 404);
});

law('without --wasm there is no such page', async ({ url }) => {
  assert.equal((await fetch(`${url}wasm/`)).status, 404);
});

test('a page that was not built is told at start, with what builds it', () => {
  const { status, stderr } = spawnSync(path.join(process.env.EXAMPLES, 'chat'), ['127.0.0.1:0', '--wasm', 'nowhere'], { timeout: 5000 });
  assert.equal(status, 1);
  assert.match(`${stderr}`, /^nowhere\/index\.html: .*; ws-json\/examples\/chat_wasm\/build makes it\n$/);
});
