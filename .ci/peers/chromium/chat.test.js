// The chat of ws-json's examples as people meet it: pages in headless Chromium, and the terminal client beside them.
'use strict';
const assert = require('node:assert');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { once } = require('node:events');
const { spawn } = require('node:child_process');
const { after, before, test } = require('node:test');
const axe = require('axe-core');
const { take } = require('./chat-pictures');
const { Browser } = require('./support');

const DESKTOP = { width: 1000, height: 640 };
const PHONE = { width: 375, height: 667 };
const SMALL_PHONE = { width: 320, height: 568 };
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const PICTURES = process.env.SCREENSHOTS || path.join('target', 'screenshots');

// Emoji of several code points, both directions, marks without end, and what looks like HTML.
const TEXTS = [
  '👩‍👩‍👧‍👦 🏳️‍🌈 🇺🇳 👍🏽',
  'e\u0301 = é, Z̸̡̛͎a̷͚͝l̴͇̿g̶̗̈́o̵̩͝',
  'שלום, مرحبا, and back',
  '<script>document.title = "owned"</script><img src=x onerror="document.title = 1">',
  'two\n  lines & "quotes" \\ backslash',
  '日本語 ไทย हिन्दी',
];

let browser;

before(async () => { browser = await Browser.start(); });
after(() => browser?.stop());

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
  await server.stop('SIGTERM');
  await ada.getByText('The server is going away (1001: the server is restarting)').waitFor();
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

// ---- What the tests are made of

// A test with a server of its own. At its end, no page may have complained.
function law(name, body) {
  test(name, { timeout: 120_000 }, () => withChat(body));
}

async function withChat(body) {
  const server = new Server();
  await server.start();
  const { port } = server;
  const url = `http://127.0.0.1:${port}/`;
  const closing = [];
  try {
    const open = async (hash = '', at = url) => {
      const page = await watched();
      await page.goto(`${at}${hash}`);
      return page;
    };
    await body({
      server,
      port,
      url,
      open,
      join: async (name, at) => {
        const page = await open('', at);
        await fill(page, 'tea', name);
        await state(page, 'Connected');
        return page;
      },
      terminal: async (name, room = 'tea') => {
        const client = new Terminal(port, room, name);
        closing.push(() => client.stop());
        await client.hears(`You are in ${room} as ${name}`);
        return client;
      },
      proxied: async () => {
        const proxy = new Proxy(port);
        closing.push(() => proxy.stop());
        return proxy.start();
      },
    });
    assert.deepEqual(complaints, []);
  } finally {
    complaints.length = 0;
    for (const stop of closing) stop();
    for (const page of browser.context.pages()) await page.close();
    await server.stop('SIGKILL');
  }
}

const complaints = [];

// A page with a storage of its own. What Chromium says of connections that fail is no complaint.
async function watched() {
  const page = await browser.newPage();
  await page.addInitScript(() => { if (!sessionStorage.length) localStorage.clear(); });
  const unreachable = /^(WebSocket connection to 'ws:.*' failed: |Failed to load resource: net::ERR_)/;
  page.on('console', (said) => {
    if (['error', 'warning'].includes(said.type()) && !unreachable.test(said.text())) complaints.push(said.text());
  });
  page.on('pageerror', (error) => complaints.push(`${error.stack}`));
  return page;
}

async function fill(page, room, name) {
  await page.locator('#join-room').fill(room);
  await page.locator('#join-name').fill(name);
  await page.locator('#join-form').getByRole('button', { name: 'Join' }).click();
  return page;
}

async function say(page, text) {
  await page.locator('#text').fill(text);
  await page.locator('#text').press('Enter');
}

// What is long takes its time to be filled in.
async function paste(page, text) {
  await page.evaluate((text) => { document.getElementById('text').value = text; }, text);
  await page.locator('#text').press('Enter');
}

// The message of this member with this text, to the character.
function heard(page, name, text) {
  return page.waitForFunction(([name, text]) => [...document.querySelectorAll('#said .message')].some((message) => (
    message.querySelector('.meta bdi').textContent === name && message.querySelector('.text').textContent === text
  )), [name, text]);
}

function state(page, words) {
  return page.locator('#state', { hasText: words }).and(page.locator(`text="${words}"`)).waitFor({ timeout: 40_000 });
}

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

// No violation of WCAG 2.2 AA or of what axe calls best practice, and no way to scroll sideways.
async function sound(page) {
  await page.evaluate(`${axe.source}; void 0`);
  const { violations } = await page.evaluate((tags) => window.axe.run({
    runOnly: tags, rules: { 'target-size': { enabled: true } },
  }), RULES);
  const told = violations.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`)]);
  assert.deepEqual(told, []);
  const [wide, log] = await page.evaluate(() => {
    const over = ({ scrollWidth, clientWidth }) => scrollWidth - clientWidth;
    return [over(document.documentElement), over(document.getElementById('log'))];
  });
  assert.deepEqual([wide, log], [0, 0]);
}

class Server {
  async start() {
    this.child = spawn(path.join(process.env.EXAMPLES, 'chat'), [`127.0.0.1:${this.port ?? 0}`], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [said] = await once(this.child.stdout, 'data');
    [, this.port] = /^listening on http:\/\/127\.0\.0\.1:(\d+)\n/.exec(said);
  }

  async stop(signal) {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill(signal);
    await once(this.child, 'exit');
    if (signal === 'SIGTERM') assert.equal(this.child.exitCode, 0);
  }
}

class Terminal {
  constructor(port, room, name) {
    this.said = '';
    this.child = spawn(path.join(process.env.EXAMPLES, 'chat_client'), [`ws://127.0.0.1:${port}/ws`, room, name]);
    this.child.stdout.on('data', (data) => { this.said += data; });
    this.child.stderr.on('data', (data) => { this.said += data; });
  }

  says(line) {
    this.child.stdin.write(`${line}\n`);
  }

  async hears(text, times = 1) {
    for (let waited = 0; this.said.split(text).length <= times; waited += 50) {
      assert.ok(waited < 20_000, `${text} in ${this.said}`);
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
  }

  stop() {
    this.child.kill('SIGKILL');
  }
}

// Between a page and the server; it can lose what either says, and cut connections.
class Proxy {
  constructor(port) {
    this.port = port;
    this.pairs = new Set();
    this.server = net.createServer((near) => {
      const pair = [near, net.connect(this.port, '127.0.0.1')];
      this.pairs.add(pair);
      for (const [from, to] of [pair, [...pair].reverse()]) {
        from.on('error', () => {});
        from.on('close', () => { to.destroy(); this.pairs.delete(pair); });
        from.pipe(to);
      }
    });
  }

  async start() {
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    this.url = `http://127.0.0.1:${this.server.address().port}/`;
    return this;
  }

  swallow() {
    for (const [near, far] of this.pairs) { near.unpipe(far); near.resume(); }
  }

  deafen() {
    for (const [near, far] of this.pairs) { far.unpipe(near); far.resume(); }
  }

  cut() {
    for (const [near, far] of this.pairs) { near.destroy(); far.destroy(); }
  }

  stop() {
    this.cut();
    this.server.close();
  }
}

// A member that joins and then never reads.
async function deaf(port, name) {
  const socket = net.connect({ port, host: '127.0.0.1' });
  const text = JSON.stringify({ join: { room: 'tea', name } });
  socket.write(`GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
    + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n');
  await once(socket, 'data');
  socket.pause();
  socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]));
  socket.on('error', () => {});
  return socket;
}
