// The log: messages, days, and what is new. Names and texts of others only ever become text nodes.
'use strict';

const FOLD = { characters: 1500, lines: 20 };
const MAX_LOG = { lines: 600, characters: 16 << 20 };
const GROUP = 5 * 60_000; // ms between messages of one group

const $ = (id) => document.getElementById(id);

let unread = 0;
let stuck = true; // to the end of the log
let last = null; // the last message shown: { name, at }
let day = '';
const shown = new Map(); // messages in the log, with their keys and lengths, by node
const seen = new Set(); // their keys
let characters = 0; // in all of them

// ---- Messages

function addMessage({ name, at, text, own, key }) {
  const newDay = dayBreak(at);
  if (!own && (document.hidden || !stuck)) markUnread();
  const follows = !newDay && last?.name === name && at - last.at < GROUP;
  const classes = ['message', own && 'own', follows && 'follow', onlyEmoji(text) && 'emoji', hue(name)];
  const node = el('article', classes.filter(Boolean).join(' '),
    avatar(name),
    el('p', 'meta', el('bdi', '', name), clock(at)),
    el('div', 'bubble', ...paragraphs(text)));
  last = { name, at };
  shown.set(node, { key, length: text.length });
  seen.add(key);
  characters += text.length;
  addLine(node);
}

function addLine(node) {
  $('said').append(node);
  while ($('said').childElementCount > MAX_LOG.lines || (characters > MAX_LOG.characters && shown.size > 1)) dropLine($('said').firstChild);
  if (stuck) toEnd();
}

function dropLine(node) {
  const message = shown.get(node);
  node.remove();
  if (!message) return;
  shown.delete(node);
  seen.delete(message.key);
  characters -= message.length;
}

function addEvent(name, what, at) {
  dayBreak(at);
  addLine(el('p', 'event', el('bdi', '', name), ` ${what}`));
  last = null;
}

function dayBreak(at) {
  const date = new Date(at);
  if (date.toDateString() === day) return false;
  day = date.toDateString();
  const today = day === new Date().toDateString();
  const words = today ? 'Today' : date.toLocaleDateString(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
  addLine(el('p', 'day', words));
  return true;
}

function clearLog() {
  for (const id of waiting.keys()) forget(id);
  $('said').replaceChildren();
  shown.clear();
  seen.clear();
  characters = 0;
  [last, day] = [null, ''];
  read();
}

// ---- Reading

function markUnread() {
  if (unread === 0) {
    document.querySelector('.fresh')?.remove();
    addLine(el('p', 'fresh', 'New'));
    last = null;
  }
  unread += 1;
  title();
}

function read() {
  unread = 0;
  title();
}

function toEnd() {
  $('log').scrollTop = $('log').scrollHeight;
  stuck = true;
}

function onScroll() {
  const { scrollTop, scrollHeight, clientHeight } = $('log');
  stuck = scrollHeight - scrollTop - clientHeight < 40;
  if (stuck && !document.hidden) read();
  else title();
}

function title() {
  document.title = `${unread ? `(${unread}) ` : ''}${me.room || 'Chat'}`;
  $('newest').hidden = stuck;
  $('newest').textContent = unread ? `${unread} new message${unread === 1 ? '' : 's'} ↓` : 'Newest ↓';
}

// ---- Texts

function el(tag, className = '', ...children) {
  const node = document.createElement(tag);
  node.className = className;
  node.append(...children);
  return node;
}

function paragraphs(text) {
  const whole = visible(text);
  const cut = foldAt(whole);
  const p = el('p', 'text', ...linked(cut < whole.length ? `${whole.slice(0, cut).toWellFormed()}…` : whole));
  p.dir = 'auto';
  if (cut === whole.length) return [p];
  const much = cut === FOLD.characters ? `${whole.length.toLocaleString()} characters` : `${whole.split('\n').length} lines`;
  const more = el('button', 'more', `Show all ${much}`);
  more.onclick = () => {
    p.replaceChildren(...linked(whole));
    p.tabIndex = -1;
    p.focus({ preventScroll: true });
    more.remove();
  };
  return [p, more];
}

function foldAt(text) {
  let at = 0;
  for (let line = 0; line < FOLD.lines && at >= 0; line += 1) at = text.indexOf('\n', at + 1);
  if (at < 0) at = text.length;
  return Math.min(at, FOLD.characters, text.length);
}

// Controls are shown as pictures, and what turns the direction of text around as a replacement.
function visible(text) {
  return text.replace(/\r\n?/g, '\n')
    .replace(/[\0-\x08\x0b-\x1f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replace(/\x7f/g, '\u2421')
    .replace(/[\x80-\x9f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

function linked(text) {
  return text.split(/(https?:\/\/[^\s<>"]*[^\s<>"'.,:;!?)\]])/i).map((part, at) => (at % 2 ? link(part) : part));
}

function link(text) {
  if (!URL.canParse(text)) return text;
  const a = el('a', '', text);
  a.href = text;
  a.target = '_blank';
  a.rel = 'noopener noreferrer';
  return a;
}

function onlyEmoji(text) {
  if (text.length > 60 || text.trim() === '') return false;
  return [...new Intl.Segmenter().segment(text)].every(({ segment }) => /^(?:\p{RGI_Emoji}|\s)$/v.test(segment));
}

function clock(at) {
  const date = new Date(at);
  const time = el('time', '', date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' }));
  time.dateTime = date.toISOString();
  return time;
}

function avatar(name) {
  const [{ segment }] = new Intl.Segmenter().segment(name);
  const node = el('span', 'avatar', segment);
  node.ariaHidden = 'true';
  return node;
}

function hue(name) {
  let hash = 0;
  for (const c of name) hash = Math.imul(hash + c.codePointAt(0), 0x9e3779b1);
  return `hue-${hash >>> 29}`;
}
