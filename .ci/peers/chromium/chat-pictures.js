// The pictures of the chat: a real conversation through a real server, at times that are always the same.
'use strict';
const path = require('node:path');

const NOW = new Date('2025-11-14T16:43:00Z');
const ME = 'Mira';

// Who says what, and when.
const TALK = [
  ['Zoë', '09:13', 'Morning from the train! After each tunnel I am back by myself 😄'],
  [ME, '09:15', 'It is all in the notes: https://example.com/notes'],
  [ME, '09:15', 'What did not get through is marked, and never sent twice.'],
  ['Noor', '16:38', 'أهلا! قرأت الملاحظات، تبدو رائعة.'],
  ['Tomasz'],
  ['Kofi', '16:41', 'So we ship on Monday? I can write the announcement tonight.'],
  [ME, '16:42', 'Monday it is.'],
  ['Zoë', '16:42', '🎉👏'],
];

const DESKTOP = { width: 1000, height: 680 };
const PHONE = { width: 375, height: 677 };

async function take({ url, terminal, page, join, say, folder }) {
  await steady(page, DESKTOP);
  await page.goto(url);
  const others = {};
  for (const name of ['Kofi', 'Zoë', 'Noor']) others[name] = await terminal(name);
  await join(page, 'tea', ME);
  for (const [index, [name, , text]] of TALK.entries()) {
    if (text === undefined) await terminal(name);
    else if (name === ME) await say(page, text);
    else others[name].says(text);
    await page.waitForFunction((count) => document.querySelectorAll('#said .message, #said .event').length === count, index + 1);
  }
  await page.evaluate('HEARD.typing({ name: "Tomasz" }); clearTimeout(typing.get("Tomasz")); document.activeElement.blur()');
  for (const [name, size, colorScheme] of [
    ['chat-light', DESKTOP, 'light'],
    ['chat-dark', DESKTOP, 'dark'],
    ['chat-phone', PHONE, 'light'],
  ]) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize(size);
    await page.evaluate('toEnd(); title()');
    await page.waitForTimeout(200);
    await page.screenshot({ path: path.join(folder, `${name}.png`), animations: 'disabled', caret: 'hide' });
  }
}

// The server's times become those above, in one language and time zone.
async function steady(page, size) {
  await page.setViewportSize(size);
  await page.clock.setFixedTime(NOW);
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setTimezoneOverride', { timezoneId: 'UTC' });
  await session.send('Emulation.setLocaleOverride', { locale: 'en_GB' });
  const times = TALK.filter(([, at]) => at).map(([, at]) => Date.parse(`2025-11-14T${at}:00Z`));
  await page.routeWebSocket(/\/ws$/, (near) => {
    const far = near.connectToServer();
    near.onMessage((message) => far.send(message));
    far.onMessage((message) => {
      const told = JSON.parse(message);
      const [[kind, body]] = Object.entries(told);
      if (kind === 'said') body.at = times.shift();
      else if (kind === 'entered') body.at = NOW.getTime();
      near.send(JSON.stringify(told));
    });
  });
}

module.exports = { take };
