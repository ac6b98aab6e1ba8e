// The engines between nodes: real servers, killed and started again on the same port.
'use strict';
const net = require('node:net');
const { once } = require('node:events');
const { spawn, spawnSync } = require('node:child_process');

const ENGINES = {
  nats: ['nats-server', (port) => ['-a', '127.0.0.1', '-p', `${port}`]],
  redis: ['redis-server', (port) => ['--bind', '127.0.0.1', '--port', `${port}`, '--save', '', '--appendonly', 'no']],
};

class Engine {
  // Why there can't be one, or nothing.
  static missing(kind) {
    const [program] = ENGINES[kind];
    return spawnSync(program, ['--version']).error ? `no ${program}` : false;
  }

  constructor(kind) {
    this.kind = kind;
  }

  async start() {
    this.port ??= await freePort();
    this.url = `${this.kind}://127.0.0.1:${this.port}`;
    const [program, flags] = ENGINES[this.kind];
    this.child = spawn(program, flags(this.port), { stdio: 'ignore' });
    while (!await answers(this.port)) {
      if (this.child.exitCode !== null) throw new Error(`${program} ended with ${this.child.exitCode}`);
      await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
    return this;
  }

  async kill() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}

async function freePort() {
  const server = net.createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address();
  await new Promise((resolve) => { server.close(resolve); });
  return port;
}

async function answers(port) {
  const socket = net.connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

module.exports = { ENGINES, Engine };
