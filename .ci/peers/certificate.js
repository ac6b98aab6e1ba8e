// A certificate for localhost and 127.0.0.1 that is its own root, in a folder that goes with the process.
'use strict';
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { execFileSync } = require('node:child_process');

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ws-certificate-'));
process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
exports.cert = path.join(folder, 'cert.pem');
exports.key = path.join(folder, 'key.pem');
execFileSync('openssl', [
  'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost',
  '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE',
  '-keyout', exports.key, '-out', exports.cert,
], { stdio: 'ignore' });
