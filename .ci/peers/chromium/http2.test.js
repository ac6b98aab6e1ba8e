// Pages in headless Chromium against our server over HTTP/2: their WebSockets share the connection that the page came by.
'use strict';
const assert = require('node:assert');
const http = require('node:http');
const path = require('node:path');
const { once } = require('node:events');
const { spawn } = require('node:child_process');
const { after, before, test } = require('node:test');
const { Browser, counting, inPage } = require('./support');
const { cert, key } = require('../certificate');

// Each side of every border in the length field; then MiBs, against the flow control of both ends.
const LENGTHS = [0, 1, 125, 126, 65535, 65536, 1 << 20, 4 << 20];
const LIMIT = 4 << 20;
const MANY = 50;

let browser;

before(async () => { browser = await Browser.start('--ignore-certificate-errors'); });
after(() => browser?.stop());

for (const [name, options, extensions] of [
  ['off', [], /^$/],
  ['no takeover', ['--compress'], /^permessage-deflate.*no_context_takeover/],
  ['takeover', ['--compress=takeover'], /^permessage-deflate(?!.*no_context_takeover)/],
]) {
  law(`text and binary of every length come back: compression ${name}`, options, async ({ page, url }) => {
    await page.evaluate((url) => connect(url), url);
    assert.match(await page.evaluate('ws.extensions'), extensions);
    await page.evaluate((lengths) => bothKindsComeBack(lengths), LENGTHS);
    await page.evaluate('burstComesBack(3000)');
    assert.deepEqual(await page.evaluate('close(4001, "bye")'), [4001, '', true]);
  });
}

law('what compresses takes a fraction of its bytes each way', ['--compress'], async ({ page, url, wire }) => {
  await page.evaluate((url) => connect(url), url);
  const before = { ...wire };
  await page.evaluate('echo("the quick brown fox ".repeat(50000))');
  for (const way of ['up', 'down']) assert.ok(wire[way] - before[way] < 50_000, `${way}: ${wire[way] - before[way]}`);
});

law(`${MANY} are open at once, and each comes back`, [], ({ page, url }) => page.evaluate(async ([url, many]) => {
  const sockets = await Promise.all(Array.from({ length: many }, () => opened(url)));
  await Promise.all(sockets.map((socket, n) => echo(`${n} `.repeat(20_000), socket)));
}, [url, MANY]));

law('those over the number of streams open when others end', ['--max-streams', '10'], async ({ page, url }) => {
  const open = await page.evaluate(async ([url, many]) => {
    let open = 0;
    const all = Array.from({ length: many }, async () => {
      const socket = await opened(url);
      open += 1;
      await new Promise((resolve) => { setTimeout(resolve, 100); });
      await echo('hello', socket);
      socket.close();
    });
    await Promise.all(all);
    return open;
  }, [url, MANY]);
  assert.equal(open, MANY);
});

law('a page that goes leaves the others of its connection', [], async ({ page, url }) => {
  const other = await browser.newPage();
  await other.goto(page.url());
  for (const it of [page, other]) {
    await it.evaluate(inPage);
    await it.evaluate((url) => connect(url), url);
  }
  await other.evaluate('ws.send(new Uint8Array(1 << 20))');
  await other.close();
  await page.evaluate((lengths) => bothKindsComeBack(lengths), LENGTHS);
});

law('a message over the limit is closed with 1009', [], async ({ page, url }) => {
  await page.evaluate((url) => connect(url), url);
  assert.equal((await page.evaluate((length) => tooLong(length), LIMIT + 1))[0], 1009);
});

law('a server that stops closes with 1001, and ends', [], async ({ page, url, server }) => {
  await page.evaluate((url) => connect(url), url);
  server.kill('SIGINT');
  assert.deepEqual(await page.evaluate('ended'), [1001, '', true]);
  assert.equal(server.exitCode ?? (await once(server, 'exit'))[0], 0);
});

test('a page of a foreign origin is refused with 403', { timeout: 60_000 }, () => serving([], async ({ url, wire }) => {
  const foreign = http.createServer((_, response) => response.end('a page'));
  const page = await browser.newPage();
  try {
    await once(foreign.listen(0, '127.0.0.1'), 'listening');
    await page.goto(`http://127.0.0.1:${foreign.address().port}`);
    // Opens the session.
    await page.evaluate((url) => fetch(url, { mode: 'no-cors', credentials: 'include' }), url.replace('wss:', 'https:'));
    const { connections } = wire;
    const told = page.waitForEvent('console');
    await page.evaluate((url) => { new WebSocket(url); }, url);
    assert.match((await told).text(), /403/);
    assert.equal(wire.connections, connections);
  } finally {
    await page.close();
    foreign.close();
  }
}));

// A test with a page of a server of its own. The page is the server's refusal to answer what asks for no WebSocket: it opens the
// HTTP/2 session, on which all that `body` asks for has to go.
function law(name, options, body) {
  test(name, { timeout: 60_000 }, () => serving(options, async (served) => {
    const page = await browser.newPage();
    try {
      assert.equal((await page.goto(served.url.replace('wss:', 'https:'))).status(), 405);
      await page.evaluate(inPage);
      const { connections } = served.wire;
      await body({ page, ...served });
      assert.equal(served.wire.connections, connections);
    } finally {
      await page.close();
    }
  }));
}

// A server behind a proxy that counts.
async function serving(options, body) {
  const flags = ['127.0.0.1:0', '--tls', cert, key, '--max-message', `${LIMIT}`, ...options];
  const server = spawn(path.join(process.env.EXAMPLES, 'http2_server'), flags);
  let proxy;
  try {
    const [said] = await once(server.stdout, 'data');
    const wire = { up: 0, down: 0, connections: 0 };
    proxy = await counting(/127\.0\.0\.1:([1-9]\d*)/.exec(said)[1], wire);
    await body({ url: `wss://localhost:${proxy.address().port}`, server, wire });
  } finally {
    proxy?.close();
    server.kill('SIGKILL');
  }
}
