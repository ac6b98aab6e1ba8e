// A page in headless Chromium against our echo server, with compression off and with both takeovers.
'use strict';
const assert = require('node:assert');
const http = require('node:http');
const path = require('node:path');
const { once } = require('node:events');
const { spawn } = require('node:child_process');
const { after, before, test } = require('node:test');
const { Browser, counting, inPage } = require('./support');

// Each side of every border: of the length field, of the threshold for compression, of the server's buffers; then MiBs.
const LENGTHS = [0, 1, 125, 126, 127, 128, 511, 512, 16384, 65535, 65536, 1 << 20, (5 << 20) + 1];
const LIMIT = 8 << 20;
const ALONE = /^permessage-deflate(?=.*; server_no_context_takeover)(?=.*; client_no_context_takeover)/;
const TAKEOVER = /^permessage-deflate(?!.*no_context_takeover)/;

let browser;

before(async () => { browser = await Browser.start(); });
after(() => browser?.stop());

for (const [name, options, extensions] of [
  ['off', [], /^$/],
  ['no takeover', ['--compress'], ALONE],
  ['takeover', ['--compress=takeover'], TAKEOVER],
]) {
  for (const api of ['run', 'recv', 'axum']) {
    law(`text and binary of every length come back: compression ${name}, ${api}`, ['--api', api, ...options], async (page) => {
      assert.match(await page.evaluate('ws.extensions'), extensions);
      await page.evaluate((lengths) => bothKindsComeBack(lengths), LENGTHS);
    });
  }

  law(`a burst comes back in order: compression ${name}`, options, (page) => page.evaluate('burstComesBack(3000)'));

  law(`a close with 4001 comes back without a reason: compression ${name}`, options, async (page) => {
    assert.deepEqual(await page.evaluate('close(4001, "bye")'), [4001, '', true]);
  });

  law(`a server that stops closes with 1001: compression ${name}`, options, async (page, server) => {
    await page.evaluate('echo("a message first")');
    server.kill('SIGINT');
    assert.deepEqual(await page.evaluate('ended'), [1001, '', true]);
  });

  law(`a message over the limit is closed with 1009: compression ${name}`, options, async (page) => {
    assert.equal((await page.evaluate((length) => tooLong(length), LIMIT + 1))[0], 1009);
  });
}

law('a server behind axum that stops closes with 1001', ['--api', 'axum'], async (page, server) => {
  await page.evaluate('echo("a message first")');
  server.kill('SIGTERM');
  assert.deepEqual(await page.evaluate('ended'), [1001, '', true]);
});

law('what compresses takes a fraction of its bytes each way', ['--compress'], async (page, _, wire) => {
  const before = { ...wire };
  await page.evaluate('echo("the quick brown fox ".repeat(50000))');
  for (const way of ['up', 'down']) assert.ok(wire[way] - before[way] < 50_000, `${way}: ${wire[way] - before[way]}`);
});

law('without compression the bytes go as they are', [], async (page, _, wire) => {
  const before = { ...wire };
  await page.evaluate('echo("the quick brown fox ".repeat(50000))');
  for (const way of ['up', 'down']) assert.ok(wire[way] - before[way] >= 1_000_000, `${way}: ${wire[way] - before[way]}`);
});

test('a page of a foreign origin is refused with 403', { timeout: 30_000 }, () => withServer([], async (_, port) => {
  const foreign = http.createServer((_, response) => response.end('a page'));
  await once(foreign.listen(0, '127.0.0.1'), 'listening');
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${foreign.address().port}`);
  const told = page.waitForEvent('console');
  await page.evaluate((url) => { new WebSocket(url); }, `ws://127.0.0.1:${port}`);
  assert.match((await told).text(), /403/);
  await page.close();
  foreign.close();
}));

// A test with a connection to a server of its own; `wire` counts the bytes each way. The page is the server's refusal to
// answer what asks for no upgrade: so its origin is the server's own.
function law(name, options, body) {
  test(name, { timeout: 60_000 }, () => withServer(['--max-message', `${LIMIT}`, ...options], async (server, port) => {
    const wire = { up: 0, down: 0 };
    const proxy = await counting(port, wire);
    const origin = `127.0.0.1:${proxy.address().port}`;
    const page = await browser.newPage();
    try {
      assert.equal((await page.goto(`http://${origin}`)).status(), 426);
      await page.evaluate(inPage);
      await page.evaluate((url) => connect(url), `ws://${origin}`);
      await body(page, server, wire);
    } finally {
      await page.close();
      proxy.close();
    }
  }));
}

async function withServer(options, body) {
  const behindAxum = options[options.indexOf('--api') + 1] === 'axum';
  const example = behindAxum ? 'axum_server' : 'echo_server';
  const flags = options.filter((option) => !behindAxum || !['--api', 'axum'].includes(option));
  const server = spawn(path.join(process.env.EXAMPLES, example), ['127.0.0.1:0', ...flags]);
  try {
    const [said] = await once(server.stdout, 'data');
    await body(server, /127\.0\.0\.1:([1-9]\d*)/.exec(said)[1]);
  } finally {
    server.kill('SIGKILL');
  }
}
