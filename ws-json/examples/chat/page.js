// The chat's page: one connection that comes back, the log, and what is around it.
'use strict';

const MAX_TEXT = 2 << 20; // bytes, as the server's
const MAX_WAITING = 1 << 20; // bytes that the browser may still have to send
const TYPING = { say: 2000, show: 3000 }; // ms
const LONGEST_PAUSE = 30; // s
const NO_ECHO = 15_000; // ms until a connection that takes messages and doesn't answer counts as lost
const GHOSTS = 8; // times that our own lost connection may still have our name
const FINAL = new Set([1002, 1003, 1007, 1008, 1009, 1010]); // close codes after which it would only happen again

const REFUSALS = {
  bad_name: 'A name has 1 to 32 visible characters.',
  bad_room: 'The name of a room has 1 to 32 visible characters.',
  name_taken: 'Somebody in this room has that name already. Choose another.',
  room_full: 'This room is full.',
  no_more_rooms: 'The server has no more rooms. Join one that exists.',
};
const CODES = {
  1001: 'The server is going away',
  1006: 'The connection was lost',
  1009: 'A message was too long for the server',
  1011: 'The server failed',
  1012: 'The server is restarting',
  1013: 'The server asks to come back later',
};

const phone = matchMedia('(max-width: 48rem)');
const prefersDark = matchMedia('(prefers-color-scheme: dark)');

let socket = null;
let me = { room: '', name: '' };
let shownRoom = ''; // whose log is on the screen
let inside = false; // in the room, over this socket
let wasInside = false; // with this name, so that it comes back by itself
let joinedAt = 0;
let attempts = 0; // since a connection has lasted
let ghosts = 0;
let retry = null; // { timer, at, why } while it waits to connect again
let replay = 0; // messages of the history still to come
let lastTyping = 0;
const members = new Set();
const typing = new Map(); // names, with the timers that end them
const waiting = new Map(); // what we sent and didn't hear yet, by id: { text, node, at, lost }

// ---- The connection

function connect() {
  stopWaiting();
  hangUp();
  const url = new URL('ws', location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  url.hash = '';
  const ws = new WebSocket(url);
  let opened = false;
  socket = ws;
  show('wait', 'Connecting…');
  ws.onopen = () => { opened = true; tell({ join: me }); };
  ws.onmessage = ({ data }) => { if (socket === ws) hear(JSON.parse(data)); };
  ws.onclose = ({ code, reason }) => { if (socket === ws) ended(code, reason, opened); };
}

function hangUp() {
  const ws = socket;
  socket = null;
  inside = false;
  ws?.close(1000);
}

function tell(message) {
  socket.send(JSON.stringify(message));
}

async function ended(code, reason, opened) {
  if (inside && Date.now() - joinedAt > LONGEST_PAUSE * 1000) attempts = 0;
  hangUp();
  loseWaiting();
  for (const name of typing.keys()) stopTyping(name);
  show('lost', 'Not connected');
  const why = await inWords(code, reason, opened);
  if (socket) return; // connected again meanwhile
  if ($('join').open && !wasInside) $('join-error').textContent = why;
  else if (FINAL.has(code)) notice(why, 'Join again');
  else waitToConnect(why);
}

async function inWords(code, reason, opened) {
  if (opened && code === 1006) return `${CODES[1006]}.`;
  if (opened) return `${CODES[code] ?? 'The server closed the connection'} (${visible(reason ? `${code}: ${reason}` : `${code}`)}).`;
  if (!navigator.onLine) return 'You are offline.';
  // Browsers don't tell scripts why a WebSocket was refused; whether the server is there at all can be asked.
  const there = await fetch('icon.svg', { cache: 'no-store' }).then(({ ok }) => ok, () => false);
  if (!there) return 'The server can’t be reached.';
  return `The server is there, but refused the connection. It may not allow pages from ${location.origin}.`;
}

// Pauses grow, and are random so that all pages of a server that restarts don't come back at once.
function waitToConnect(why) {
  stopWaiting();
  const pause = Math.min(LONGEST_PAUSE, 2 ** attempts) * (0.5 + Math.random() / 2);
  attempts += 1;
  retry = { at: Date.now() + pause * 1000, why, timer: setInterval(countDown, 250) };
  countDown();
}

function countDown() {
  const seconds = Math.ceil((retry.at - Date.now()) / 1000);
  if (seconds <= 0) connect();
  else notice(`${retry.why} Trying again in ${seconds} s.`, 'Try now');
}

function stopWaiting() {
  clearInterval(retry?.timer);
  retry = null;
}

function connectSooner() {
  if (retry) connect();
}

// A network that is gone tells nobody: messages that aren't answered do.
setInterval(() => {
  const oldest = [...waiting.values()].find(({ lost }) => !lost);
  if (inside && oldest && socket.bufferedAmount === 0 && Date.now() - oldest.at > NO_ECHO) ended(1006, '', true);
}, 5000);

// ---- What the server says

function hear(message) {
  const [[kind, body]] = Object.entries(message);
  if (Object.hasOwn(HEARD, kind)) HEARD[kind](body);
}

const HEARD = {
  joined({ room, name, members: all, history }) {
    if (room !== shownRoom) clearLog();
    if (!wasInside) { $('join').close(); $('text').focus(); }
    [me, shownRoom] = [{ room, name }, room];
    [inside, wasInside, joinedAt, ghosts, replay] = [true, true, Date.now(), 0, history];
    $('log').ariaBusy = `${history > 0}`; // the history isn't read out
    members.clear();
    for (const each of all) members.add(each);
    listMembers();
    remember();
    $('room').textContent = room;
    $('notice').hidden = true;
    $('hint').textContent = '';
    show('on', 'Connected');
    title();
  },
  refused({ why }) {
    hangUp();
    if (why === 'name_taken' && wasInside && ghosts < GHOSTS) {
      ghosts += 1;
      waitToConnect('Your lost connection still has your name.');
    } else {
      wasInside = false;
      ask(REFUSALS[why] ?? 'The server refused.', why === 'bad_room' || why === 'no_more_rooms' ? 'join-room' : 'join-name');
    }
  },
  entered({ name, at }) {
    members.add(name);
    listMembers();
    addEvent(name, 'joined', at);
  },
  left({ name, at }) {
    members.delete(name);
    stopTyping(name);
    listMembers();
    addEvent(name, 'left', at);
  },
  typing({ name }) {
    if (name === me.name) return;
    clearTimeout(typing.get(name));
    typing.set(name, setTimeout(stopTyping, TYPING.show, name));
    listTyping();
  },
  said({ id, name, at, text }) {
    stopTyping(name);
    const own = name === me.name;
    if (own) forget(id);
    const key = JSON.stringify([at, name, id]);
    if (!seen.has(key)) addMessage({ name, at, text, own, key });
    if (replay > 0 && --replay === 0) $('log').ariaBusy = 'false';
  },
};

// ---- What we say

function submit() {
  const text = $('text').value.trimEnd().toWellFormed();
  if (text === '') return;
  const wrong = whyNot(text);
  $('hint').textContent = wrong;
  if (wrong) return;
  deliver(text);
  $('text').value = '';
  lastTyping = 0;
  keepDraft();
}

function whyNot(text) {
  if (!inside) return 'Not connected. Your message stays here until you send it.';
  if (tooLong(text)) return 'That is too long: a message has at most 2 MiB.';
  if (socket.bufferedAmount > MAX_WAITING) return 'The last message is still on its way. Send this one in a moment.';
  return '';
}

function tooLong(text) {
  const bytes = (string) => new Blob([string]).size;
  return text.length > MAX_TEXT / 6 && (bytes(text) > MAX_TEXT || bytes(JSON.stringify(text)) > 2 * MAX_TEXT);
}

function deliver(text) {
  const id = [...crypto.getRandomValues(new Uint32Array(3))].map((n) => n.toString(36)).join('');
  const node = el('article', 'message own sending', el('div', 'bubble', ...paragraphs(text)), el('p', 'fate', 'Sending…'));
  waiting.set(id, { text, node, at: Date.now(), lost: false });
  $('unsent').append(node);
  toEnd();
  tell({ say: { id, text } });
}

// Never sent again by itself: it may have arrived. If it comes with the history, it has.
function loseWaiting() {
  for (const [id, message] of waiting) {
    if (message.lost) continue;
    message.lost = true;
    const again = el('button', '', 'Send again');
    again.onclick = () => {
      $('hint').textContent = whyNot(message.text);
      if ($('hint').textContent) return;
      forget(id);
      deliver(message.text);
    };
    const discard = el('button', '', 'Discard');
    discard.onclick = () => { forget(id); $('text').focus(); };
    message.node.classList.add('undelivered');
    message.node.lastChild.replaceChildren('Not delivered', again, discard);
  }
}

function forget(id) {
  waiting.get(id)?.node.remove();
  waiting.delete(id);
}

function sayTyping() {
  if (!inside || $('text').value.trim() === '' || Date.now() - lastTyping < TYPING.say) return;
  lastTyping = Date.now();
  tell({ typing: {} });
}

// ---- Around the log

function show(state, words) {
  $('state').dataset.state = state;
  $('state').textContent = words;
}

function notice(words, button) {
  if ($('notice-text').textContent !== words) $('notice-text').textContent = words;
  $('again').textContent = button;
  $('notice').hidden = false;
}

function listMembers() {
  const names = [...members].sort((a, b) => a.localeCompare(b));
  $('count').textContent = names.length;
  $('list').replaceChildren(...names.map((name) => el('li', hue(name),
    avatar(name), el('bdi', '', name), ...(name === me.name ? [el('small', '', 'you')] : []))));
}

function listTyping() {
  const names = [...typing.keys()];
  const who = [`${names[0]} is`, `${names[0]} and ${names[1]} are`][names.length - 1] ?? 'Several people are';
  $('typing').replaceChildren(...(names.length ? [el('i'), el('i'), el('i'), el('span', '', `${who} typing`)] : []));
}

function stopTyping(name) {
  clearTimeout(typing.get(name));
  if (typing.delete(name)) listTyping();
}

function showMembers(open) {
  $('members').hidden = !open;
  $('members-button').ariaExpanded = `${open}`;
  document.querySelector('.talk').inert = open && phone.matches;
  if (open && phone.matches) $('members-close').focus();
}

function closeMembers() {
  const hadFocus = $('members').contains(document.activeElement);
  showMembers(false);
  if (hadFocus) $('members-button').focus();
}

function paint(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  const dark = (theme ?? (prefersDark.matches ? 'dark' : 'light')) === 'dark';
  document.documentElement.toggleAttribute('data-dark', dark);
  $('theme').ariaPressed = `${dark}`;
}

// ---- Joining

function ask(wrong = '', field = $('join-room').value ? 'join-name' : 'join-room') {
  $('join-error').textContent = wrong;
  for (const id of ['join-room', 'join-name']) $(id).ariaInvalid = `${wrong !== '' && id === field}`;
  $('join-cancel').hidden = !wasInside;
  if (!$('join').open) $('join').showModal();
  $(field).focus();
  if (!wasInside) show('off', 'Not connected');
}

function join() {
  me = { room: $('join-room').value.trim(), name: $('join-name').value.trim() };
  [wasInside, attempts] = [false, 0];
  $('join-error').textContent = '';
  connect();
}

function remember() {
  keep('sessionStorage', 'room', me.room);
  keep('localStorage', 'room', me.room);
  keep('localStorage', 'name', me.name);
  history.replaceState(null, '', `#${encodeURIComponent(me.room)}`);
  [$('join-room').value, $('join-name').value] = [me.room, me.name];
}

function hashRoom() {
  try { return decodeURIComponent(location.hash.slice(1)); } catch { return ''; }
}

// Browsers may forbid storage, or have no more of it.
function kept(storage, key) {
  try { return window[storage].getItem(key); } catch { return null; }
}

function keep(storage, key, value) {
  try { window[storage].setItem(key, value); } catch { /* Then it is not kept. */ }
}

function keepDraft() {
  keep('sessionStorage', 'draft', $('text').value.slice(0, 100_000));
}

// ---- The user

function start() {
  paint(kept('localStorage', 'theme') ?? undefined);
  $('text').value = kept('sessionStorage', 'draft') ?? '';
  $('join-room').value = hashRoom() || kept('localStorage', 'room') || 'lobby';
  $('join-name').value = kept('localStorage', 'name') ?? '';
  const reloaded = kept('sessionStorage', 'room') === $('join-room').value && $('join-name').value !== '';
  if (!reloaded) { ask(); return; }
  me = { room: $('join-room').value, name: $('join-name').value };
  wasInside = true;
  connect();
}

phone.onchange = () => showMembers(!phone.matches);
prefersDark.onchange = () => paint(kept('localStorage', 'theme') ?? undefined);
$('theme').onclick = () => {
  const theme = $('theme').ariaPressed === 'true' ? 'light' : 'dark';
  keep('localStorage', 'theme', theme);
  paint(theme);
};
$('skip').onclick = (click) => { click.preventDefault(); $('text').focus(); };
$('members-button').onclick = (click) => { click.stopPropagation(); showMembers($('members').hidden); };
$('members-close').onclick = closeMembers;
$('switch').onclick = () => ask();
$('join-cancel').onclick = () => $('join').close();
$('join-form').onsubmit = (submitted) => { submitted.preventDefault(); join(); };
$('join').oncancel = (cancelled) => { if (!wasInside) cancelled.preventDefault(); };
$('join').onclose = () => { if (!wasInside) ask(); };
$('again').onclick = connect;
$('newest').onclick = () => { toEnd(); read(); $('text').focus(); };
$('composer').onsubmit = (submitted) => { submitted.preventDefault(); submit(); };
$('text').oninput = () => { sayTyping(); keepDraft(); };
$('text').onkeydown = (key) => {
  if (key.key !== 'Enter' || key.shiftKey || key.isComposing) return;
  key.preventDefault();
  submit();
};
$('log').onscroll = onScroll;
new ResizeObserver(() => { if (stuck) toEnd(); }).observe($('log'));
document.onclick = ({ target }) => { if (phone.matches && !$('members').hidden && !$('members').contains(target)) closeMembers(); };
document.onkeydown = ({ key }) => { if (key === 'Escape' && !$('members').hidden && !$('join').open) closeMembers(); };
document.onvisibilitychange = () => { if (!document.hidden) { onScroll(); connectSooner(); } };
window.ononline = connectSooner;
window.onhashchange = () => {
  const room = hashRoom();
  if (!room || room === me.room) return;
  $('join-room').value = room;
  if (wasInside) join();
};

showMembers(!phone.matches);
start();
