// The chat on two nodes, each a process, over a real NATS or Redis: what people see on pages of both, whatever dies between them.
'use strict';
const assert = require('node:assert');
const { test } = require('node:test');
const {
  Server, TEXTS, fill, heard, join, open, say, state, withPages,
} = require('./chat-support');
const { ENGINES, Engine } = require('./engines');

function law(name, body) {
  for (const kind of Object.keys(ENGINES)) {
    test(`${kind}: ${name}`, { timeout: 120_000, skip: Engine.missing(kind) }, () => withNodes(kind, body));
  }
}

async function withNodes(kind, body) {
  const engine = await new Engine(kind).start();
  const nodes = [1, 2].map(() => new Server('cluster', [engine.url]));
  try {
    for (const node of nodes) await node.start();
    await withPages(() => body({ engine, nodes }));
  } finally {
    for (const node of nodes) if (node.child) await node.stop('SIGKILL');
    await engine.kill();
  }
}

law('pages of two nodes hear each other, whatever the text, and see who is there', async ({ nodes: [one, two] }) => {
  const [ada, bob] = [await join(one.url, 'Ada'), await join(two.url, 'Bob')];
  for (const page of [ada, bob]) await members(page, ['Ada', 'Bob']);
  for (const text of TEXTS) {
    await say(ada, text);
    await say(bob, text);
    for (const page of [ada, bob]) for (const name of ['Ada', 'Bob']) await heard(page, name, text);
  }
  await bob.locator('#text').pressSequentially('hm');
  await ada.getByText('Bob is typing').waitFor();
  const eve = await fill(await open(two.url), 'tea', 'ada');
  await eve.getByText('Somebody in this room has that name already.').waitFor();
  await fill(eve, 'tea', 'Eve');
  for (const name of ['Ada', 'Bob']) for (const text of TEXTS) await heard(eve, name, text);
  for (const page of [ada, bob, eve]) await members(page, ['Ada', 'Bob', 'Eve']);
  await eve.close();
  for (const page of [ada, bob]) {
    await members(page, ['Ada', 'Bob']);
    assert.equal(await page.locator('#said .message').count(), 2 * TEXTS.length);
  }
});

law('while the engine is away, each node goes on; when it is back, everybody gets what was said', async ({ engine, nodes: [one, two] }) => {
  const [ada, bob] = [await join(one.url, 'Ada'), await join(two.url, 'Bob')];
  const cy = await join(one.url, 'Cy');
  for (const page of [ada, bob, cy]) await members(page, ['Ada', 'Bob', 'Cy']);
  await engine.kill();
  await say(ada, 'only here 👩‍🚀');
  await heard(cy, 'Ada', 'only here 👩‍🚀');
  await say(bob, 'only there');
  await heard(bob, 'Bob', 'only there');
  await members(ada, ['Ada', 'Cy']);
  await members(bob, ['Bob']);
  // They can come back too.
  await cy.reload();
  await members(cy, ['Ada', 'Cy']);
  await engine.start();
  for (const page of [ada, bob, cy]) {
    await heard(page, 'Ada', 'only here 👩‍🚀');
    await heard(page, 'Bob', 'only there');
    await members(page, ['Ada', 'Bob', 'Cy']);
  }
  await say(bob, 'together');
  for (const page of [ada, bob, cy]) {
    await heard(page, 'Bob', 'together');
    assert.equal(await page.locator('#said .message').count(), 3);
    assert.equal(await page.locator('#state').textContent(), 'Connected');
  }
  for (const page of [ada, bob]) assert.equal(await page.evaluate('attempts'), 0);
});

law('what is said while the engine dies is lost to nobody', async ({ engine, nodes: [one, two] }) => {
  const pages = [await join(one.url, 'Ada'), await join(two.url, 'Bob')];
  for (const page of pages) await members(page, ['Ada', 'Bob']);
  for (let n = 0; n < 40; n += 1) {
    for (const page of pages) await say(page, `number ${n}`);
    if (n % 20 === 9) await engine.kill();
    if (n % 20 === 19) await engine.start();
    await pages[0].waitForTimeout(60); // as fast as the server allows
  }
  for (const page of pages) {
    for (let n = 0; n < 40; n += 1) for (const name of ['Ada', 'Bob']) await heard(page, name, `number ${n}`);
    assert.equal(await page.locator('#said .message').count(), 80);
    await members(page, ['Ada', 'Bob']);
    assert.equal(await page.evaluate('attempts'), 0);
  }
});

law('a node that is killed takes its members along, and its pages come back with it', async ({ nodes: [one, two] }) => {
  const [ada, bob] = [await join(one.url, 'Ada'), await join(two.url, 'Bob')];
  await say(bob, 'before');
  await heard(ada, 'Bob', 'before');
  await two.stop('SIGKILL');
  await members(ada, ['Ada']);
  await ada.getByText('Bob left').waitFor();
  await say(ada, 'meanwhile');
  await two.start();
  await state(bob, 'Connected');
  for (const page of [ada, bob]) await members(page, ['Ada', 'Bob']);
  await heard(bob, 'Ada', 'meanwhile');
  await say(bob, 'again');
  for (const page of [ada, bob]) {
    await heard(page, 'Bob', 'again');
    assert.equal(await page.locator('#said .message').count(), 3);
  }
});

// Waits until these are in the list, in this order.
function members(page, names) {
  return page.waitForFunction((names) => (
    [...document.querySelectorAll('#list bdi')].map(({ textContent }) => textContent).join('\n') === names
  ), names.join('\n'));
}
