// What the tests of the chat are made of: its server, pages in headless Chromium, and the terminal client beside them.
'use strict';
const assert = require('node:assert');
const net = require('node:net');
const path = require('node:path');
const { once } = require('node:events');
const { spawn } = require('node:child_process');
const { after, before, test } = require('node:test');
const axe = require('axe-core');
const { Browser } = require('./support');

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

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

// A test with a server of its own, which gets these flags.
function law(name, body, flags = []) {
  test(name, { timeout: 120_000 }, () => withChat(body, flags));
}

async function withChat(body, flags) {
  const server = new Server('chat', flags);
  await server.start();
  const { port, url } = server;
  const closing = [];
  try {
    await withPages(() => body({
      server,
      port,
      url,
      open: (hash = '', at = url) => open(`${at}${hash}`),
      join: (name, at = url) => join(at, name),
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
    }));
  } finally {
    for (const stop of closing) stop();
    await server.stop('SIGKILL');
  }
}

// At its end, no page may have complained.
async function withPages(body) {
  try {
    await body();
    assert.deepEqual(complaints, []);
  } finally {
    complaints.length = 0;
    for (const page of browser.context.pages()) await page.close();
  }
}

async function open(url) {
  const page = await watched();
  await page.goto(url);
  return page;
}

async function join(url, name) {
  const page = await fill(await open(url), 'tea', name);
  await state(page, 'Connected');
  return page;
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
  constructor(example, args) {
    [this.example, this.args] = [example, args];
  }

  async start() {
    this.child = spawn(path.join(process.env.EXAMPLES, this.example), [...this.args, `127.0.0.1:${this.port ?? 0}`], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [said] = await once(this.child.stdout, 'data');
    [, this.port] = /^listening on http:\/\/127\.0\.0\.1:(\d+)\n/.exec(said);
    this.url = `http://127.0.0.1:${this.port}/`;
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

module.exports = {
  Server, TEXTS, deaf, fill, heard, join, law, open, paste, say, sound, state, watched, withPages,
};
