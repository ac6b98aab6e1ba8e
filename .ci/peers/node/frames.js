// WebSocket's frames on a stream of Node's http2, which knows nothing of them.
'use strict';
const assert = require('node:assert');
const crypto = require('node:crypto');
const http2 = require('node:http2');
const { once } = require('node:events');

const [TEXT, BINARY, CLOSE] = [1, 2, 8];

class Frames {
  constructor(stream, { masks }) {
    this.stream = stream;
    this.masks = masks;
    this.received = Buffer.alloc(0);
    this.chunks = [];
    stream.on('error', () => {});
    stream.on('data', (chunk) => { this.chunks.push(chunk); });
  }

  send(opcode, payload) {
    const { length } = payload;
    const masked = this.masks ? 0x80 : 0;
    const head = [Buffer.from([0x80 | opcode, masked | (length < 126 ? length : length < 65536 ? 126 : 127)])];
    if (length >= 65536) head.push(Buffer.alloc(4));
    if (length >= 126) head.push(length < 65536 ? code(length) : Buffer.from(Uint32Array.of(length).buffer).swap32());
    const mask = this.masks ? crypto.randomBytes(4) : Buffer.alloc(0);
    this.stream.write(Buffer.concat([...head, mask, unmasked(payload, mask)]));
  }

  // The next frame, which is to be a whole message, and masked if ours aren't.
  async receive() {
    const [first, second] = await this.take(2);
    assert.equal(first & 0xf0, 0x80);
    assert.equal(second >= 0x80, !this.masks);
    let size = second & 0x7f;
    if (size === 126) size = (await this.take(2)).readUInt16BE();
    else if (size === 127) size = Number((await this.take(8)).readBigUInt64BE());
    const mask = await this.take(this.masks ? 0 : 4);
    return { opcode: first & 0xf, payload: unmasked(await this.take(size), mask) };
  }

  async take(count) {
    let left = count - this.received.length;
    for (;;) {
      for (const chunk of this.chunks) left -= chunk.length;
      this.received = Buffer.concat([this.received, ...this.chunks.splice(0)]);
      if (left <= 0) break;
      await once(this.stream, 'data');
    }
    const taken = this.received.subarray(0, count);
    this.received = this.received.subarray(count);
    return taken;
  }

  async comesBack(opcode, payload) {
    this.send(opcode, payload);
    assert.deepEqual(await this.receive(), { opcode, payload });
  }

  async endsWell() {
    const { stream } = this;
    if (!stream.readableEnded) await once(stream, 'end');
    stream.end();
    if (!stream.closed) await once(stream, 'close');
    assert.deepEqual([stream.rstCode, stream.aborted], [http2.constants.NGHTTP2_NO_ERROR, false]);
  }
}

// Of a close frame, and of a length.
function code(number) {
  return Buffer.from([number >> 8, number & 0xff]);
}

function unmasked(payload, mask) {
  return mask.length > 0 ? payload.map((byte, at) => byte ^ mask[at & 3]) : payload;
}

module.exports = { BINARY, CLOSE, Frames, TEXT, code };
