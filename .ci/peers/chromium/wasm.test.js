// Our client in a page: the example browser_peer, built to WebAssembly, against our server, Python's, and faulty ones.
'use strict';
const assert = require('node:assert');
const net = require('node:net');
const path = require('node:path');
const { execFile, spawn } = require('node:child_process');
const { once } = require('node:events');
const { after, before, test } = require('node:test');
const { promisify } = require('node:util');
const { WebSocketServer } = require('ws');
const { Browser, serving } = require('./support');

const PAGES = path.join(process.env.PAGES, 'peer');
// Each side of every border in the length field; then MiBs.
const LENGTHS = [0, 1, 125, 126, 65535, 65536, 1 << 20, 16 << 20];
const MAX_MESSAGE = ['--max-message', `${17 << 20}`];
const TIMEOUT = { timeout: 120_000 };

let browser;

before(async () => { browser = await Browser.start(); });
after(() => browser?.stop());

// A running program that prints its port, as what `serving` asks for.
async function program(command, ...flags) {
  const child = spawn(command, flags);
  const [said] = await once(child.stdout, 'data');
  const port = Number(/127\.0\.0\.1:([1-9]\d*)/.exec(said)[1]);
  return { port: () => port, child, stop: () => child.kill('SIGKILL') };
}

const ours = (...flags) => () => program(path.join(process.env.EXAMPLES, 'echo_server'), '127.0.0.1:0', ...flags);
const python = () => program(process.env.PYTHON, '-B', path.join(__dirname, 'echo.py'));

// A server of Node's ws that does this with each connection; `ends` has the code and reason that each was closed with.
const scripted = (script, options = {}) => async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
  await once(server, 'listening');
  const ends = [];
  server.on('connection', (ws, request) => {
    ws.on('error', () => {});
    ws.on('close', (code, reason) => ends.push([code, `${reason}`]));
    script(ws, request);
  });
  const stop = () => {
    for (const ws of server.clients) ws.terminate();
    server.close();
  };
  return { port: () => server.address().port, ends, stop };
};

// A bare TCP server. It cuts what is left, for a socket that isn't read doesn't notice its end.
const bare = (script) => async () => {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    script(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const stop = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port: () => server.address().port, stop };
};

// A bare TCP server that does this once it has answered the handshake.
const upgrading = (script) => bare((socket) => {
  socket.on('error', () => {});
  socket.once('data', (head) => {
    const key = /sec-websocket-key: (\S+)/i.exec(head)[1];
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept(key)}\r\n\r\n`);
    script(socket);
  });
});

// A test with a server and a page that has the module as `peer`; it ends with no error in the console but `expected`.
function law(name, start, body, expected = /^$/) {
  test(name, TIMEOUT, async () => {
    const server = await start();
    const pages = await serving(PAGES, server.port);
    const origin = `127.0.0.1:${pages.address().port}`;
    const page = await browser.newPage();
    const told = [];
    page.on('console', (message) => { if (message.type() === 'error') told.push(message.text()); });
    page.on('pageerror', (error) => told.push(`${error}`));
    try {
      await page.goto(`http://${origin}/`);
      await page.evaluate(async () => {
        window.peer = await import('/browser_peer.js');
        window.memory = (await peer.default()).memory;
      });
      await body({ page, server, url: `ws://${origin}/` });
      assert.deepEqual(told.filter((text) => !expected.test(text)), []);
    } finally {
      await page.close();
      pages.close();
      server.stop();
    }
  });
}

for (const [name, start] of [['our server', ours(...MAX_MESSAGE)], ['our server, compressing', ours('--compress', ...MAX_MESSAGE)], ["Python's", python]]) {
  law(`text and binary to 16 MiB come back: ${name}`, start, ({ page, url }) => (
    page.evaluate(([url, lengths]) => peer.echo(url, new Uint32Array(lengths)), [url, LENGTHS])));

  law(`a burst comes back in order through halves: ${name}`, start, ({ page, url }) => (
    page.evaluate((url) => peer.halves(url, 3000), url)));

  law(`streams and sinks forward: ${name}`, start, ({ page, url }) => page.evaluate((url) => peer.streams(url), url));

  law(`a dropped future loses nothing: ${name}`, start, ({ page, url }) => page.evaluate((url) => peer.cancelled(url), url));

  law(`a task that receives ends when another closes: ${name}`, start, async ({ page, url }) => {
    assert.deepEqual(await page.evaluate((url) => peer.two_tasks(url), url),
      ['the end', 'the connection was cut without a close frame']);
  });

  law(`a close comes back with its code: ${name}`, start, async ({ page, url }) => {
    const close = (code, reason) => page.evaluate((all) => peer.close(...all), [url, code, reason]);
    assert.match(await close(1000, ''), /^1000/);
    assert.match(await close(4001, 'bye'), /^4001/);
    await assert.rejects(close(1005, ''), /1005 may not be sent/);
    await assert.rejects(close(1000, 'x'.repeat(124)), /124 bytes/);
  });
}

law('typed messages, and those of another shape', ours(), async ({ page, url }) => {
  assert.equal(await page.evaluate((url) => peer.json(url), url), 'this end failed the connection with 1007');
});

law('a code that a page may not send goes out 3000 higher', scripted(() => {}), async ({ page, url, server }) => {
  for (const code of [1001, 1008, 1011, 3999]) await page.evaluate(([url, code]) => peer.close(url, code, 'why'), [url, code]);
  assert.deepEqual(server.ends, [[4001, 'why'], [4008, 'why'], [4011, 'why'], [3999, 'why']]);
});

for (const [code, reason, end, frame] of [
  [1000, '', 'the end', '1000'],
  [1001, 'restart', 'the end', '1001 (restart)'],
  [undefined, '', 'the end', ''],
  [1008, 'no', 'the peer closed the connection with 1008 (no)', '1008 (no)'],
  [1011, '', 'the peer closed the connection with 1011', '1011'],
  [4999, 'é', 'the peer closed the connection with 4999 (é)', '4999 (é)'],
]) {
  law(`the peer's close with ${code} is told, after its messages`, scripted((ws) => {
    for (let n = 0; n < 3; n += 1) ws.send('a message');
    ws.close(code, reason);
  }), async ({ page, url }) => {
    assert.deepEqual(await page.evaluate((url) => peer.closed_by_peer(url), url), ['3', end, frame]);
  });
}

const CUT = ['the connection was cut without a close frame', ''];

law('a cut is told', scripted((ws) => { ws.send('a message', () => ws.terminate()); }), async ({ page, url }) => {
  assert.deepEqual(await page.evaluate((url) => peer.closed_by_peer(url), url), ['1', ...CUT]);
});

law('a peer that breaks the protocol is a cut', scripted((ws) => { ws._socket.write(Buffer.from([0x81, 0x01, 0xff])); }), async ({ page, url }) => {
  assert.deepEqual(await page.evaluate((url) => peer.closed_by_peer(url), url), ['0', ...CUT]);
}, /Could not decode a text frame/);

for (const [kind, data] of [['binary', Buffer.alloc((1 << 20) + 1)], ['text', 'é'.repeat((1 << 19) + 1)], ['long text', 'a'.repeat(40 << 20)]]) {
  law(`a message over the limit is refused with 4009: ${kind}`, scripted((ws) => {
    ws.send('a message');
    ws.send(data);
  }), async ({ page, url, server }) => {
    const [messages, end] = await page.evaluate((url) => peer.closed_by_peer(url), url);
    assert.deepEqual([messages, end], ['1', 'the peer broke the protocol: a message is larger than 1048576 bytes']);
    await until(() => server.ends.length > 0);
    assert.deepEqual(server.ends, [[4009, '']]);
  });
}

law('refusals and bad URLs say what a browser tells', bare((socket) => {
  socket.on('error', () => {});
  socket.once('data', () => socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n'));
}), async ({ page, url }) => {
  const refused = (url, ...offered) => page.evaluate(([url, offered]) => peer.refused(url, offered, 5000n), [url, offered]);
  assert.match(await refused(url), /^Failed\(""\): could not connect/);
  assert.match(await refused('ws://127.0.0.1:1/'), /^Failed/);
  assert.match(await refused('http://:/'), /^Invalid/);
  assert.match(await refused(url, 'a', 'a'), /^Invalid/);
  assert.match(await refused(url, 'not a token'), /^Invalid/);
}, /WebSocket connection to .* failed/);

law('a server that never answers is given up', bare((socket) => socket.on('error', () => {})), async ({ page, url }) => {
  assert.match(await page.evaluate((url) => peer.refused(url, [], 300n), url), /^Timeout/);
}, /closed before the connection is established/);

law('the subprotocol is told by all', scripted(() => {}, { handleProtocols: () => 'chat' }), async ({ page, url }) => {
  assert.deepEqual(await page.evaluate((url) => peer.subprotocol(url, ['other', 'chat']), url), ['chat', 'chat']);
});

law('without a subprotocol there is none', ours(), async ({ page, url }) => {
  assert.deepEqual(await page.evaluate((url) => peer.subprotocol(url, []), url), ['', '']);
});

law('1500 connections leave neither memory nor handles behind', ours(), async ({ page, url }) => {
  const cycles = (count) => page.evaluate(async ([url, count]) => {
    await peer.cycles(url, count);
    return [memory.buffer.byteLength, (await peer.default()).__wbindgen_externrefs.length];
  }, [url, count]);
  const warm = await cycles(200);
  assert.deepEqual(await cycles(1300), warm);
}, /closed before the connection is established/);

law('what arrives faster than it is received is bounded', scripted((ws) => {
  ws.on('message', () => {
    const more = () => { if (ws.readyState === 1) { ws.send(Buffer.alloc(100_000)); setImmediate(more); } };
    more();
  });
}), async ({ page, url, server }) => {
  await page.exposeFunction('closedThere', () => until(() => server.ends.length > 0));
  const [messages, length, end] = await page.evaluate((url) => peer.slow_reader(url, 1 << 20, closedThere()), url);
  assert.deepEqual([Number(messages), Number(length), end], [10, 1_000_000, 'more arrived than was received']);
  assert.deepEqual(server.ends, [[4008, '']]);
});

law('sending waits for a peer that reads slowly', scripted((ws) => {
  const stall = setInterval(() => {
    ws.pause();
    setTimeout(() => ws.resume(), 20);
  }, 40);
  ws.on('close', () => clearInterval(stall));
}), ({ page, url }) => page.evaluate((url) => peer.slow_peer(url, 200), url));

law('a peer that stops reading is given up', upgrading((socket) => socket.pause()), async ({ page, url }) => {
  const limit = 1 << 20;
  const [most, error] = await page.evaluate(([url, limit]) => peer.stalled_peer(url, limit, 1000n), [url, limit]);
  assert.ok(Number(most) <= limit, most);
  assert.match(error, /TimedOut/);
});

law('a close that is not answered ends in time', upgrading(() => {}), async ({ page, url }) => {
  assert.equal(await page.evaluate((url) => peer.unanswered_close(url, 300n), url), 'CloseTimeout');
});

law('nothing is sent once the peer has closed, and that is told', upgrading((socket) => {
  // A message and a close frame; then the stream stays open for a while, as a slow network's would.
  socket.write(Buffer.from([0x81, 0x01, 0x61, 0x88, 0x02, 0x03, 0xe8]));
  setTimeout(() => socket.end(), 2000);
}), async ({ page, url }) => {
  assert.equal(await page.evaluate((url) => peer.late_send(url), url), "can't send: a close frame was sent already");
});

law('room is waited for, limits change, and text is UTF-8', ours(), ({ page, url }) => (
  page.evaluate((url) => peer.rarely(url), url)));

law('dropping a connection closes it', scripted(() => {}), async ({ page, url, server }) => {
  await page.evaluate((url) => peer.subprotocol(url, []), url);
  await until(() => server.ends.length > 0);
  assert.deepEqual(server.ends, [[1005, '']]);
});

law('it works in a worker', ours(...MAX_MESSAGE), async ({ page, url }) => {
  assert.equal(await page.evaluate(([url, lengths]) => new Promise((resolve) => {
    const source = `
      import * as peer from '${location.origin}/browser_peer.js';
      await peer.default();
      const ends = async () => {
        await peer.echo('${url}', new Uint32Array(${JSON.stringify(lengths)}));
        return (await peer.two_tasks('${url}')).join();
      };
      postMessage(await ends().catch((error) => 'failed: ' + error));`;
    const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })), { type: 'module' });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => resolve(event.message);
  }), [url, LENGTHS]), 'the end,the connection was cut without a close frame');
});

test('it works under Node', TIMEOUT, async () => {
  const server = await ours(...MAX_MESSAGE)();
  const script = `
    import fs from 'node:fs';
    import * as peer from '${PAGES}/browser_peer.js';
    peer.initSync({ module: fs.readFileSync('${PAGES}/browser_peer_bg.wasm') });
    const url = 'ws://127.0.0.1:${server.port()}/';
    if (typeof WebSocket === 'undefined') {
      console.log(await peer.refused(url, [], 1000n));
    } else {
      await peer.echo(url, new Uint32Array(${JSON.stringify(LENGTHS)}));
      await peer.halves(url, 1000);
      console.log((await peer.two_tasks(url)).join(), await peer.refused('ws://127.0.0.1:1/', [], 5000n));
    }
    process.exit();`;
  const node = (...flags) => promisify(execFile)(process.execPath, [...flags, '--input-type=module', '-e', script]);
  try {
    assert.match((await node('--experimental-websocket')).stdout, /^the end,the connection was cut .*Failed.*network error/);
    if (typeof WebSocket === 'undefined') assert.match((await node()).stdout, /^Invalid.*WebSocket is not defined/);
  } finally {
    server.stop();
  }
});

function accept(key) {
  return require('node:crypto').createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

async function until(holds) {
  while (!holds()) await new Promise((resolve) => { setTimeout(resolve, 10); });
}
