// Headless Chromium, a proxy that counts, and what the tests call inside a page.
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { once } = require('node:events');
const { chromium } = require('playwright-core');

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

class Browser {
  static async start(...flags) {
    const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'ws-chromium-'));
    const options = { executablePath: process.env.CHROMIUM, headless: true, args: [...FLAGS, ...flags] };
    return new Browser(await chromium.launchPersistentContext(profile, options), profile);
  }

  constructor(context, profile) {
    this.context = context;
    this.profile = profile;
  }

  newPage() {
    return this.context.newPage();
  }

  async stop() {
    await this.context.close();
    fs.rmSync(this.profile, { recursive: true, force: true });
  }
}

// Counts into `wire` what goes through: bytes each way, and connections.
async function counting(port, wire) {
  const proxy = net.createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    wire.connections += 1;
    const far = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
    near.on('data', (data) => { wire.up += data.length; });
    far.on('data', (data) => { wire.down += data.length; });
    for (const socket of [near, far]) socket.on('error', () => {});
    near.pipe(far).pipe(near);
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  return proxy;
}

// Serves a folder to pages, and hands their WebSockets on to `port()`, so that those are of the server's own origin.
async function serving(folder, port) {
  const types = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' };
  const server = http.createServer((request, response) => {
    const name = path.basename(request.url) || 'index.html';
    const file = path.join(folder, name);
    if (name === 'index.html') response.setHeader('content-type', 'text/html').end('<!doctype html><title>a page</title>');
    else if (!fs.existsSync(file)) response.writeHead(204).end();
    else response.setHeader('content-type', types[path.extname(name)] ?? 'text/plain').end(fs.readFileSync(file));
  });
  server.on('upgrade', (request, near, head) => {
    const far = net.connect({ host: '127.0.0.1', port: port(), noDelay: true });
    const lines = request.rawHeaders.map((text, at) => (at % 2 ? `${text}\r\n` : `${text}: `)).join('');
    far.write(`GET ${request.url} HTTP/1.1\r\n${lines}\r\n`);
    far.write(head);
    for (const socket of [near, far]) socket.on('error', () => {});
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    near.pipe(far).pipe(near);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

// Defines what the tests call inside the page.
function inPage() {
  window.opened = async (url) => {
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onclose = (event) => reject(new Error(`refused: ${event.code}`));
    });
    return socket;
  };

  window.connect = async (url) => {
    window.ws = await opened(url);
    window.ended = new Promise((resolve) => {
      ws.addEventListener('close', (event) => resolve([event.code, event.reason, event.wasClean]));
    });
  };

  window.close = (code, reason) => {
    ws.close(code, reason);
    return ended;
  };

  window.tooLong = (length) => {
    ws.send(new Uint8Array(length));
    return ended;
  };

  // Sends all, then awaits all of the answers, in order.
  window.echoes = async (messages, socket = ws) => {
    let next = 0;
    const all = new Promise((resolve, reject) => {
      socket.onclose = (event) => reject(new Error(`closed: ${event.code} ${event.reason}`));
      socket.onmessage = ({ data }) => {
        if (!same(data, messages[next])) reject(new Error(`message ${next} came back different`));
        next += 1;
        if (next === messages.length) resolve();
      };
    });
    for (const message of messages) socket.send(message);
    await all;
  };

  window.echo = (message, socket) => echoes([message], socket);

  window.bothKindsComeBack = async (lengths) => {
    for (const length of lengths) {
      await echo('é'.repeat(length / 2) + 'a'.repeat(length % 2));
      await echo(random(length));
    }
  };

  window.burstComesBack = async (count) => {
    const messages = Array.from({ length: count }, (_, n) => {
      const text = JSON.stringify({ number: n, text: 'the quick brown fox '.repeat(n % 97) });
      return n % 3 === 0 ? random(n) : text;
    });
    await echoes(messages);
  };

  function same(data, sent) {
    if (typeof sent === 'string') return data === sent;
    if (!(data instanceof ArrayBuffer) || data.byteLength !== sent.length) return false;
    return new Uint8Array(data).every((byte, at) => byte === sent[at]);
  }

  function random(length) {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
    return bytes;
  }
}

module.exports = { Browser, counting, inPage, serving };
