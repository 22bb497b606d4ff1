import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { Letter } from '../../../src/parts/mail/letter.ts';
import { Outbox } from '../../../src/parts/mail/outbox.ts';
import { type MailTransport, openMail } from '../../../src/parts/mail/transport.ts';
import { mailbox } from '../../mailbox.ts';

const letter = (subject = 'Hello'): Letter => ({ subject, paragraphs: ['Something happened.'] });

/** The calls of an outbox to its log, in order. */
function logged() {
  const lines: string[] = [];
  return {
    lines,
    log: {
      sent: ({ subject }: Letter) => lines.push(`sent ${subject}`),
      retried: () => lines.push('retried'),
      givenUp: (error: unknown) => lines.push(`given up: ${(error as Error).message}`),
    },
  };
}

/** A transport that fails as often as it is told to. */
function road(failures: number) {
  const sent: { to: string; letter: Letter }[] = [];
  const state = { tries: 0, closed: 0, sent };
  const transport: MailTransport = {
    send: async (to, sending) => {
      state.tries += 1;
      await sleep(1);
      if (state.tries <= failures) throw new Error(`failure ${state.tries}`);
      sent.push({ to, letter: sending });
    },
    close: () => {
      state.closed += 1;
    },
  };
  return { state, transport };
}

const until = async (condition: () => boolean) => {
  for (let turn = 0; turn < 400 && !condition(); turn += 1) await sleep(5);
};

t.test('a letter is sent once, after the answer', async (t) => {
  const box = await mailbox(t);
  const { lines, log } = logged();
  const transport = openMail(box.url, {
    from: 'Latchkey <no-reply@example.com>',
    product: 'Latchkey',
  });
  const outbox = new Outbox(transport, log, [20, 20]);
  let composed = 0;
  outbox.post('ada@example.com', () => {
    composed += 1;
    return letter();
  });
  t.equal(composed, 0, 'not yet composed');
  await box.arrived(1);
  await outbox.close();
  t.equal(await box.settled(1), 1);
  t.equal(composed, 1);
  t.same(lines, ['sent Hello']);
});

t.test('a letter that fails is retried, and the retries are logged', async (t) => {
  const { state, transport } = road(2);
  const { lines, log } = logged();
  const outbox = new Outbox(transport, log, [1, 1, 1, 1]);
  outbox.post('ada@example.com', () => letter());
  await until(() => state.sent.length === 1);
  await sleep(20);
  t.equal(state.tries, 3, 'no attempt after the successful one');
  t.same(lines, ['retried', 'retried', 'sent Hello']);
  await outbox.close();
});

t.test('a letter is given up after the last attempt, and that is logged once', async (t) => {
  const { state, transport } = road(100);
  const { lines, log } = logged();
  const outbox = new Outbox(transport, log, [1, 1, 1]);
  outbox.post('ada@example.com', () => letter());
  await until(() => lines.length === 3);
  await sleep(20);
  t.equal(state.tries, 3);
  t.same(lines, ['retried', 'retried', 'given up: failure 3']);
  await outbox.close();
  t.equal(state.tries, 3, 'no further attempt when the outbox closes');
});

t.test('a letter that fails does not delay others', async (t) => {
  const sent: string[] = [];
  const transport: MailTransport = {
    send: async (to) => {
      if (to === 'bad@example.com') throw new Error('no such mailbox');
      sent.push(to);
    },
    close: () => {},
  };
  const { log } = logged();
  const outbox = new Outbox(transport, log, [1, 10_000]);
  outbox.post('bad@example.com', () => letter());
  outbox.post('ada@example.com', () => letter());
  await until(() => sent.length === 1);
  t.same(sent, ['ada@example.com']);
  await outbox.close();
});

t.test('a letter that cannot be composed counts as failed', async (t) => {
  const { state, transport } = road(0);
  const { lines, log } = logged();
  const outbox = new Outbox(transport, log, [1, 1]);
  outbox.post('ada@example.com', () => {
    throw new Error('no key');
  });
  await until(() => lines.length === 2);
  t.same(lines, ['retried', 'given up: no key']);
  t.equal(state.tries, 0);
  await outbox.close();
});

t.test('closing sends waiting letters at once', async (t) => {
  const { state, transport } = road(0);
  const { lines, log } = logged();
  const outbox = new Outbox(transport, log, [60_000]);
  outbox.post('ada@example.com', () => letter('one'));
  outbox.post('eve@example.com', () => letter('two'));
  const begun = Date.now();
  await outbox.close();
  t.ok(Date.now() - begun < 5_000);
  t.same(state.sent.map(({ to }) => to).sort(), ['ada@example.com', 'eve@example.com']);
  t.same(lines.sort(), ['sent one', 'sent two']);
  t.equal(state.closed, 1);
  t.equal(state.tries, 2, 'nothing is sent twice');
});

t.test(
  'closing gives one last attempt to letters that wait for a retry or are being sent',
  async (t) => {
    const { state, transport } = road(100);
    const { lines, log } = logged();
    const outbox = new Outbox(transport, log, [1, 60_000, 60_000]);
    outbox.post('ada@example.com', () => letter());
    await until(() => lines.length === 1);
    await outbox.close();
    t.same(lines, ['retried', 'given up: failure 2']);
    t.equal(state.closed, 1);

    const { promise, reject } = Promise.withResolvers<void>();
    const second = logged();
    let tries = 0;
    const slow: MailTransport = {
      send: () => {
        tries += 1;
        return tries === 1 ? promise : Promise.resolve();
      },
      close: () => {},
    };
    const other = new Outbox(slow, second.log, [1, 60_000, 60_000]);
    other.post('ada@example.com', () => letter());
    await until(() => tries === 1);
    const closing = other.close();
    reject(new Error('too late'));
    await closing;
    t.same(second.lines, ['retried', 'sent Hello'], 'no timer is left');
  },
);

t.test('the number of waiting letters is limited; more are given up at once', async (t) => {
  const { state, transport } = road(0);
  const { lines, log } = logged();
  const outbox = new Outbox(transport, log, [60_000]);
  for (let index = 0; index < 10_000; index += 1) outbox.post(`u${index}@example.com`, letter);
  t.same(lines, []);
  outbox.post('late@example.com', letter);
  t.same(lines, ['given up: too many letters are waiting']);
  await outbox.close();
  t.equal(state.sent.length, 10_000);
  t.notOk(state.sent.some(({ to }) => to === 'late@example.com'));
});
