// An echo server of Node's ws: ws.js off|alone:LEVEL|takeover:LEVEL; says where it listens.
'use strict';
const { WebSocketServer } = require('ws');

const [takeover, level] = process.argv[2].split(':');
const alone = takeover === 'alone' || undefined;
const perMessageDeflate = takeover !== 'off' && {
  threshold: 0,
  serverNoContextTakeover: alone,
  clientNoContextTakeover: alone,
  zlibDeflateOptions: { level: Number(level) },
};
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate });
server.on('listening', () => console.log(`127.0.0.1:${server.address().port}`));
server.on('connection', (ws) => {
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
  ws.on('error', () => {});
});
