import t from 'tap';
import { mailbox } from '../mailbox.ts';
import { type Field, nameOf, type Operation, operations, payloadOf, urlOf } from '../operations.ts';
import { admin, signedIn } from '../people.ts';
import { testApp } from '../test-app.ts';

const CANARY = 'CANARY5f2b9c';
const mail = await mailbox(t);
const env = { MAIL_URL: mail.url, LOG_LEVEL: 'trace', TRUST_PROXY: '127.0.0.1' };
const app = await testApp(t, { env });
const { logs } = app;
await signedIn(app, `${CANARY}@example.com`);
const bearer = { authorization: `Bearer ${(await admin(app)).access_token}` };

/** Fields that a response may repeat, because they are public. */
const OWN: Record<string, string[]> = { name: ['name'], email: ['email'] };

/** A valid value for the field, containing the canary where it fits. */
function marked(name: string, { format, pattern, enum: choices, type, anyOf }: Field): unknown {
  if (format === 'email') return `${CANARY}@example.com`;
  if (anyOf !== undefined) return marked(name, { ...anyOf[0] });
  if (pattern !== undefined || choices !== undefined || type === 'array') return undefined;
  return `${CANARY}-${name}`;
}

const headers = {
  'user-agent': CANARY,
  'x-request-id': CANARY,
  'x-correlation-id': CANARY,
  traceparent: CANARY,
  referer: `https://example.com/${CANARY}`,
  'accept-language': CANARY,
  'idempotency-key': CANARY,
  'x-forwarded-for': `${CANARY}, 203.0.113.7`,
  'x-real-ip': CANARY,
  forwarded: `for=${CANARY}`,
  'x-api-key': CANARY,
  [CANARY]: CANARY,
};

/** The same request once refused and once accepted, by caller and by content. */
const callers: Record<string, Record<string, string>> = {
  nobody: {},
  'a forged token': { authorization: `Bearer ${CANARY}.${CANARY}.${CANARY}` },
  'a machine’s secret': { authorization: `Basic ${btoa(`${CANARY}:${CANARY}`)}` },
  'a cookie': { cookie: `__Secure-latchkey_refresh=${CANARY}; __Secure-latchkey_device=${CANARY}` },
  'an administrator': bearer,
};

const bodiesOf = (operation: Operation): Record<string, string> => {
  const values = Object.entries(operation.fields).flatMap(([name, field]) => {
    const value = marked(name, field);
    return value === undefined ? [] : [[name, value] as const];
  });
  const wrong = Object.keys(operation.fields).map((name) => [name, `${CANARY}\u0000`] as const);
  return {
    'every field': payloadOf(operation, Object.fromEntries(values)),
    'nothing that fits': payloadOf(operation, Object.fromEntries(wrong)),
    'what is no body': `{"${CANARY}`,
  };
};

t.test(
  'LOG-01 ERR-03 input in any field, header, path or query is never logged, and is returned only in its own field',
  async (t) => {
    for (const operation of operations) {
      const bodies = operation.type === undefined ? { 'no body': undefined } : bodiesOf(operation);
      const query = operation.query.map((name) => `&${name}=${CANARY}`).join('');
      for (const [caller, credentials] of Object.entries(callers)) {
        for (const [kind, payload] of Object.entries(bodies)) {
          const what = `${nameOf(operation)} from ${caller} with ${kind}`;
          const from = logs.length;
          const answer = await app.app.inject({
            method: operation.method,
            url: `${urlOf(operation, CANARY)}?token=${CANARY}${query}`,
            headers: {
              ...headers,
              ...credentials,
              ...(operation.type && { 'content-type': operation.type }),
            },
            ...(payload !== undefined && { payload }),
          });
          t.ok(answer.statusCode < 500, `${what}: ${answer.statusCode}`);
          t.notMatch(JSON.stringify(logs.slice(from)), CANARY, what);
          t.notMatch(JSON.stringify(answer.headers), CANARY, what);
          const told = JSON.stringify(answer.payload === '' ? '' : safely(answer.payload));
          t.notMatch(told, CANARY, what);
        }
      }
    }

    /** The response without the public members. */
    function safely(payload: string): unknown {
      if (!/^[[{]/.test(payload)) return payload;
      return JSON.parse(payload, (key, value) =>
        OWN[key] !== undefined || key === 'client' ? undefined : value,
      );
    }
  },
);

t.test(
  'LOG-01 a mail contains no input of strangers, and goes only to the right address',
  async (t) => {
    await mail.settled();
    t.ok(mail.mails.length > 0);
    for (const { recipients, raw, mail: parsed } of mail.mails) {
      t.same(recipients, [`${CANARY}@example.com`]);
      const text = `${parsed.subject} ${parsed.text} ${parsed.html}`;
      t.notMatch(text, CANARY);
      t.notMatch(raw.replaceAll(`${CANARY}@example.com`, ''), CANARY);
    }
  },
);

t.test('LOG-01 a mail server’s reply that repeats what it received is not logged', async (t) => {
  const talkative = await mailbox(t, {
    onRcptTo: ({ address }, _session, done) =>
      done(Object.assign(new Error(`no mailbox ${address}`), { responseCode: 550 })),
    onAuth: ({ username, password }, _session, done) =>
      done(new Error(`wrong: ${username} ${password}`)),
    disabledCommands: ['STARTTLS'],
  });
  for (const user of ['', `${CANARY}:${CANARY}@`]) {
    const other = await testApp(t, { env: { MAIL_URL: talkative.url.replace('//', `//${user}`) } });
    await other.post('/v1/register', { email: `${CANARY}@example.com` });
    for (let waited = 0; !other.events().includes('mail.retried') && waited < 4_000; waited += 20)
      await new Promise((resolve) => setTimeout(resolve, 20));
    t.match(
      other.logs.find(({ event }) => event === 'mail.retried'),
      { status: user ? 535 : 550, command: user ? /^AUTH/ : 'RCPT TO' },
    );
    t.notMatch(JSON.stringify(other.logs), CANARY);
  }
});

t.test(
  'LOG-02 LOG-03 for any input, a log line is one short line of JSON without terminal control characters',
  async (t) => {
    const raw: string[] = [];
    const nasty = 'x\r\n{"event":"account.deleted"}\u001b[2J\u2028\u202e\u0000'.repeat(20);
    const person = await signedIn(app, 'ada@example.com');
    const from = logs.length;
    for (const operation of operations.filter(({ type }) => type !== undefined)) {
      const values = Object.fromEntries(Object.keys(operation.fields).map((name) => [name, nasty]));
      await app.app.inject({
        method: operation.method,
        url: `${urlOf(operation, nasty)}?${encodeURIComponent(nasty)}`,
        payload: payloadOf(operation, values),
        headers: {
          'content-type': String(operation.type),
          authorization: `Bearer ${person.access_token}`,
          'user-agent': encodeURIComponent(nasty),
          'x-forwarded-for': `${'9'.repeat(5_000)}, \u0085\u00ad, 203.0.113.9`,
        },
      });
    }
    for (const line of logs.slice(from)) raw.push(JSON.stringify(line));
    t.ok(raw.length >= operations.filter(({ type }) => type !== undefined).length);
    for (const line of raw) {
      t.ok(line.length < 500, `${line.length}`);
      t.notMatch(line, /\\r|\\n|\\u00|\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}|deleted/u);
      const { time, ip, reqId } = JSON.parse(line);
      // For an unroutable path only the connection is known.
      t.match(
        { time, ip, reqId },
        { time: Number, ip: /^(203\.0\.113\.9|127\.0\.0\.1)$/, reqId: String },
      );
    }
  },
);
