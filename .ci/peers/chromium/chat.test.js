// The chat of ws-json's examples as people meet it: pages in headless Chromium, and the terminal client beside them.
'use strict';
const assert = require('node:assert');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { once } = require('node:events');
const { take } = require('./chat-pictures');
const {
  TEXTS, deaf, fill, heard, law, paste, say, sound, state, watched,
} = require('./chat-support');

const DESKTOP = { width: 1000, height: 640 };
const PHONE = { width: 375, height: 667 };
const SMALL_PHONE = { width: 320, height: 568 };
const PICTURES = process.env.SCREENSHOTS || path.join('target', 'screenshots');

law('two pages and a terminal hear each other, whatever the text', async ({ join, terminal }) => {
  const [ada, bob] = [await join('Ada'), await join('Bob')];
  const cy = await terminal('Cy');
  for (const text of TEXTS) {
    await say(ada, text);
    for (const page of [ada, bob]) await heard(page, 'Ada', text);
    await cy.hears(`Ada: ${text.replaceAll('\n', '\n  | ')}`);
  }
  cy.says('<b>from</b> the terminal');
  for (const page of [ada, bob]) await heard(page, 'Cy', '<b>from</b> the terminal');
  assert.equal(await ada.title(), 'tea');
  assert.equal(await ada.locator('.sending').count(), 0);
  assert.equal(await ada.locator('.emoji').count(), 1);
  cy.says('/quit');
  await bob.getByText('Cy left').waitFor();
});

law('a MiB of text is folded and shown whole on demand', async ({ join }) => {
  const [ada, bob] = [await join('Ada'), await join('Bob')];
  const text = 'All work and no play. '.repeat(50_000).slice(0, 1 << 20).trimEnd();
  await paste(ada, text);
  const more = bob.getByRole('button', { name: /^Show all 1,0\d\d,\d\d\d characters$/ });
  await more.click();
  assert.equal(await bob.locator('.text').evaluate((p) => p.textContent), text);
  await paste(bob, 'a'.repeat((2 << 20) + 1));
  await bob.getByText('That is too long').waitFor();
});

law('links are links only to http and https, and controls are pictures', async ({ join }) => {
  const ada = await join('Ada');
  await say(ada, 'see https://example.com/a?b=c&d, (http://example.org/). javascript:alert(1) data:text/html,x');
  await heard(ada, 'Ada', 'see https://example.com/a?b=c&d, (http://example.org/). javascript:alert(1) data:text/html,x');
  const links = await ada.locator('.text a').evaluateAll((all) => all.map((a) => [a.getAttribute('href'), a.rel]));
  assert.deepEqual(links.map(([href]) => href), ['https://example.com/a?b=c&d', 'http://example.org/']);
  assert.ok(links.every(([, rel]) => rel.includes('noopener')));
  await say(ada, 'a\u0007b\u202egnp.exe');
  await heard(ada, 'Ada', 'a␇b\ufffdgnp.exe');
});

law('a name that is taken is refused, and another is not', async ({ join, open }) => {
  await join('Ada');
  const other = await open();
  await fill(other, 'tea', 'ADA');
  await other.getByText('Somebody in this room has that name already').waitFor();
  assert.equal(await other.locator('#join-name').getAttribute('aria-invalid'), 'true');
  await fill(other, 'tea', 'Ada the second');
  await state(other, 'Connected');
  await fill(await open(), 'tea', 'x'.repeat(33)).then(async (page) => page.getByText('A name has 1 to 32').waitFor());
});

law('who types is shown, and not for ever', async ({ join }) => {
  const [ada, bob] = [await join('Ada'), await join('Bob')];
  await counting(ada, 'typing');
  await ada.locator('#text').pressSequentially('hello there', { delay: 30 });
  await bob.getByText('Ada is typing').waitFor();
  assert.equal(await ada.evaluate('sent'), 1);
  await bob.getByText('Ada is typing').waitFor({ state: 'detached', timeout: 5000 });
  assert.equal(await ada.getByText('is typing').count(), 0);
});

law('a late member gets the history, and everybody sees who is there', async ({ join }) => {
  const ada = await join('Ada');
  for (let n = 0; n < 5; n += 1) await say(ada, `message ${n}`);
  const bob = await join('Bob');
  for (let n = 0; n < 5; n += 1) await heard(bob, 'Ada', `message ${n}`);
  for (const page of [ada, bob]) {
    await page.locator('#count', { hasText: '2' }).waitFor();
    assert.deepEqual(await page.locator('#list bdi').allTextContents(), ['Ada', 'Bob']);
  }
  await bob.close();
  await ada.getByText('Bob left').waitFor();
  assert.deepEqual(await ada.locator('#list bdi').allTextContents(), ['Ada']);
});

law('all come back by themselves when the server does, and nothing is sent twice', async ({ join, terminal, server }) => {
  const [ada, bob] = [await join('Ada'), await join('Bob')];
  const cy = await terminal('Cy');
  await say(ada, 'before');
  await heard(bob, 'Ada', 'before');
  // Shown until the first attempt to come back, soon after.
  const told = ada.getByText('The server is going away (1001: the server is restarting)').waitFor();
  await server.stop('SIGTERM');
  await told;
  await cy.hears('The server is going away (1001: the server is restarting)');
  await state(bob, 'Not connected');
  await ada.locator('#text').fill('typed meanwhile');
  await ada.keyboard.press('Enter');
  await ada.getByText('Not connected. Your message stays here').waitFor();
  await server.start();
  for (const page of [ada, bob]) await state(page, 'Connected');
  await cy.hears('You are in tea as Cy', 2);
  assert.equal(await ada.locator('#text').inputValue(), 'typed meanwhile');
  await ada.locator('#text').press('Enter');
  await heard(bob, 'Ada', 'typed meanwhile');
  await cy.hears('Ada: typed meanwhile');
  cy.says('me too');
  await heard(ada, 'Cy', 'me too');
  for (const text of ['before', 'typed meanwhile', 'me too']) assert.equal(await bob.getByText(text).count(), 1);
});

law('back online, or at the press of a button, it connects at once', async ({ join, server }) => {
  const [ada, bob] = [await join('Ada'), await join('Bob')];
  await server.stop('SIGKILL');
  for (const page of [ada, bob]) {
    await page.getByText(/Trying again in \d+ s/).waitFor();
    await page.evaluate('clearInterval(retry.timer)');
  }
  await server.start();
  await ada.evaluate('window.dispatchEvent(new Event("online"))');
  await bob.getByRole('button', { name: 'Try now' }).click();
  for (const page of [ada, bob]) await state(page, 'Connected');
  await say(ada, 'here again');
  await heard(bob, 'Ada', 'here again');
});

law('what was sent and not echoed is not delivered, until it is sent again', async ({ join, proxied }) => {
  const proxy = await proxied();
  const [ada, bob] = [await join('Ada', proxy.url), await join('Bob')];
  proxy.swallow();
  await say(ada, 'into the void');
  await ada.getByText('Sending…').waitFor();
  proxy.cut();
  await ada.getByText('Not delivered').waitFor();
  await ada.getByText('The connection was lost').waitFor();
  await state(ada, 'Connected');
  assert.equal(await bob.getByText('into the void').count(), 0);
  await ada.getByRole('button', { name: 'Send again' }).click();
  await heard(bob, 'Ada', 'into the void');
  assert.equal(await ada.getByText('Not delivered').count(), 0);
  // Delivered, but the echo was lost: the history tells.
  proxy.deafen();
  await say(ada, 'heard by others');
  await heard(bob, 'Ada', 'heard by others');
  proxy.cut();
  await state(ada, 'Connected');
  await heard(ada, 'Ada', 'heard by others');
  assert.equal(await ada.getByText('Not delivered').count(), 0);
  assert.equal(await bob.getByText('heard by others').count(), 1);
});

law('a flood is closed with 1008, and nobody else notices', async ({ join }) => {
  const [ada, bob] = [await join('Ada'), await join('Bob')];
  await bob.evaluate('for (let n = 0; n < 200; n += 1) tell({ typing: {} })');
  await bob.getByText('The server closed the connection (1008: too fast: 20 messages per second are allowed).').waitFor();
  await say(ada, 'quiet again');
  await heard(ada, 'Ada', 'quiet again');
  await bob.getByRole('button', { name: 'Join again' }).click();
  await heard(bob, 'Ada', 'quiet again');
});

law('a member that reads nothing is dropped, and nobody else notices', async ({ join, port }) => {
  const ada = await join('Ada');
  const slow = await deaf(port, 'Slow');
  await ada.getByText('Slow joined').waitFor();
  const text = [...Array(1 << 20)].map(() => String.fromCharCode(33 + Math.random() * 90)).join('');
  const left = ada.getByText('Slow left').waitFor({ timeout: 60_000 }).then(() => true);
  let gone = false;
  left.then(() => { gone = true; }, () => {});
  for (let n = 0; n < 60 && !gone; n += 1) {
    await ada.evaluate((text) => deliver(text), text);
    await ada.locator('.sending').waitFor({ state: 'detached' });
    await ada.waitForTimeout(450); // as fast as the server allows
  }
  assert.ok(await left);
  slow.destroy();
  await state(ada, 'Connected');
});

law('a page of a foreign origin is refused, and says so', async ({ port }) => {
  const foreign = http.createServer((request, response) => {
    http.get({ port, path: request.url, host: '127.0.0.1' }, (file) => {
      response.writeHead(file.statusCode, file.headers);
      file.pipe(response);
    });
  });
  const answers = [];
  // As a proxy that puts its own name in place of the host's.
  foreign.on('upgrade', (request, near) => {
    const far = net.connect(port, '127.0.0.1');
    const headers = { ...request.headers, host: `127.0.0.1:${port}` };
    far.write(`GET ${request.url} HTTP/1.1\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
    far.once('data', (data) => answers.push(`${data}`.split('\r\n')[0]));
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => {});
  });
  await once(foreign.listen(0, '127.0.0.1'), 'listening');
  const origin = `http://127.0.0.1:${foreign.address().port}`;
  const page = await watched();
  await page.goto(origin);
  await fill(page, 'tea', 'Eve');
  await page.getByText(`refused the connection. It may not allow pages from ${origin}.`).waitFor();
  assert.match(answers[0], /^HTTP\/1.1 403 /);
  foreign.closeAllConnections();
  foreign.close();
});

law('all can be done by keyboard alone', async ({ open, join }) => {
  const bob = await join('Bob');
  const page = await open('#tea');
  assert.equal(await page.evaluate('document.activeElement.id'), 'join-name');
  await page.keyboard.type('Ada');
  await page.keyboard.press('Enter');
  await state(page, 'Connected');
  assert.equal(await page.evaluate('document.activeElement.id'), 'text');
  await page.keyboard.type('one');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('two');
  await page.keyboard.press('Enter');
  await heard(bob, 'Ada', 'one\ntwo');
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#members').isVisible(), false);
  await page.locator('#skip').focus();
  const stops = [];
  for (let n = 0; n < 7; n += 1) {
    stops.push(await page.evaluate('document.activeElement.id || document.activeElement.className'));
    await page.keyboard.press('Tab');
  }
  assert.deepEqual(stops, ['skip', 'members-button', 'theme', 'switch', 'log', 'text', 'send']);
  await page.locator('#skip').focus();
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate('document.activeElement.id'), 'text');
  await page.locator('#switch').press('Enter');
  assert.equal(await page.locator('#join').isVisible(), true);
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#join').isVisible(), false);
  await page.locator('#members-button').press('Enter');
  assert.equal(await page.locator('#members').isVisible(), true);
});

law('new messages wait for who reads older ones', async ({ join }) => {
  const [ada, bob] = [await join('Ada'), await join('Bob')];
  for (let n = 0; n < 30; n += 1) {
    await say(ada, `line ${n}\nand more\nof it`);
    await ada.waitForTimeout(20);
  }
  await heard(bob, 'Ada', 'line 29\nand more\nof it');
  await bob.locator('#log').evaluate((log) => { log.scrollTop = 0; });
  await bob.getByRole('button', { name: 'Newest ↓' }).waitFor();
  await say(ada, 'unread');
  await bob.getByRole('button', { name: '1 new message ↓' }).click();
  assert.equal(await bob.locator('.fresh').count(), 1);
  assert.equal(await bob.locator('#newest').isVisible(), false);
  const gap = await bob.locator('#log').evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight);
  assert.ok(gap < 2, `${gap}`);
});

law('room, name, theme and what was typed outlast a reload; another hash is another room', async ({ join }) => {
  const ada = await join('Ada');
  await ada.locator('#theme').click();
  await ada.locator('#text').fill('a draft');
  await ada.reload();
  await state(ada, 'Connected');
  assert.equal(await ada.locator('#text').inputValue(), 'a draft');
  assert.equal(await ada.locator('html').getAttribute('data-theme'), 'dark');
  assert.match(ada.url(), /#tea$/);
  await ada.evaluate('location.hash = "coffee%20%26%20cake"');
  await ada.getByRole('heading', { name: 'coffee & cake' }).waitFor();
  assert.deepEqual(await ada.locator('#list bdi').allTextContents(), ['Ada']);
});

for (const scheme of ['light', 'dark']) {
  for (const [device, size] of Object.entries({ desktop: DESKTOP, phone: PHONE, 'small phone': SMALL_PHONE })) {
    law(`axe finds nothing and nothing is cut off: ${scheme}, ${device}`, async ({ open, join }) => {
      const bob = await join('Bob');
      const page = await open();
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize(size);
      await sound(page);
      await fill(page, 'tea', 'bob');
      await page.getByText('Somebody in this room').waitFor();
      await sound(page);
      await fill(page, 'tea', 'Ada with a name of 32 characters');
      for (const text of [...TEXTS, `https://example.com/${'long/'.repeat(60)}`, 'w'.repeat(4000)]) {
        await say(page, text);
        await say(bob, text);
      }
      await bob.locator('#text').pressSequentially('hm');
      await page.getByText('Bob is typing').waitFor();
      await sound(page);
      await page.locator('#members-button').click();
      await sound(page);
    });
  }
}

law('pictures of a conversation', async ({ url, terminal }) => {
  fs.mkdirSync(PICTURES, { recursive: true });
  await take({ url, terminal, page: await watched(), join: fill, say, folder: PICTURES });
});

// Counts the messages of this kind that the page sends from now on, in its variable `sent`.
function counting(page, kind) {
  return page.evaluate((kind) => {
    window.sent = 0;
    const { send } = socket;
    socket.send = (data) => {
      if (Object.hasOwn(JSON.parse(data), kind)) window.sent += 1;
      send.call(socket, data);
    };
  }, kind);
}
