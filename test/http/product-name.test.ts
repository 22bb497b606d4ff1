import t from 'tap';
import { parse } from 'yaml';
import { mailbox } from '../mailbox.ts';
import { basic, proveMailbox } from '../people.ts';
import { refused } from '../refused.ts';
import { PASSWORD, testApp } from '../test-app.ts';

const NAME = 'Q&A: "Harbour", <i>Ltd\\';

t.test('users see only the configured product name', async (t) => {
  const box = await mailbox(t);
  const service = await testApp(t, {
    env: { PRODUCT_NAME: ` ${NAME} `, MAIL_URL: box.url, MAIL_FROM: 'no-reply@example.com' },
  });
  const { app, as, post, signUp } = service;
  const { access_token } = await signUp();
  await proveMailbox(service, 'ada@example.com');
  await post('/v1/register', { email: 'grace@example.com' });
  await post('/v1/password/forgot', { email: 'ada@example.com' });
  const mails = await box.arrived(3);
  for (const { mail, from } of mails) {
    t.equal(from, 'no-reply@example.com');
    t.same(mail.from?.value, [{ address: 'no-reply@example.com', name: NAME }]);
    t.ok(mail.text?.trimEnd().endsWith(`-- \n${NAME}`), 'the signature');
    t.match(mail.html, '&lt;i&gt;Ltd');
  }
  const subjects = mails.map(({ mail }) => mail.subject);
  t.ok(subjects.includes(`Finish signing up at ${NAME}`), subjects.join());

  const enrolled = await as(access_token, {
    method: 'POST',
    url: '/v1/me/mfa/totp',
    payload: { password: PASSWORD },
  });
  t.match(
    enrolled.json().otpauth_uri,
    /^otpauth:\/\/totp\/Q%20A%20%22Harbour%22%2C%20%3Ci%3ELtd%5C:ada%40example\.com\?/,
  );

  const docs = await app.inject({ url: '/docs' });
  t.match(docs.payload, '<title>Q&amp;A: &quot;Harbour&quot;, &lt;i&gt;Ltd\\ API</title>');
  const document = parse((await app.inject({ url: '/openapi.yaml' })).payload);
  t.match(document, { info: { title: NAME, contact: { name: /Harbour/ } } });
  const explained = await app.inject({ url: '/problems/not_found' });
  t.match(
    explained.payload,
    '<title>Not found – Q&amp;A: &quot;Harbour&quot;, &lt;i&gt;Ltd\\</title>',
  );

  const bearer = await app.inject({ url: '/v1/me' });
  t.equal(bearer.headers['www-authenticate'], 'Bearer realm="Q&A: Harbour, <i>Ltd"');
  const client = await app.inject({
    method: 'POST',
    url: '/oauth/token',
    headers: {
      ...basic({ id: 'x', secret: 'y' }),
      'content-type': 'application/x-www-form-urlencoded',
    },
    payload: 'grant_type=client_credentials',
  });
  t.equal(client.headers['www-authenticate'], 'Basic realm="Q&A: Harbour, <i>Ltd"');

  for (const text of [
    ...mails.map(({ raw }) => raw),
    enrolled.payload,
    docs.payload,
    explained.payload,
    bearer.payload,
    client.payload,
    JSON.stringify(bearer.headers) + JSON.stringify(client.headers),
  ])
    t.notMatch(text.replaceAll('X-Mailer: Nodemailer', ''), /latchkey/i);
});

t.test(
  'a realm is ASCII: accents are removed, and a name with nothing left falls back to the host',
  async (t) => {
    for (const [PRODUCT_NAME, realm] of [
      ['Zoë’s Café', 'Zoes Cafe'],
      ['灯台', 'localhost:3000'],
      ['Ελπίδα 2', '2'],
    ] as const) {
      const { app } = await testApp(t, { env: { PRODUCT_NAME } });
      const { headers } = await app.inject({ url: '/v1/me' });
      t.equal(headers['www-authenticate'], `Bearer realm="${realm}"`);
    }
  },
);

t.test('a password made of the product name is refused', async (t) => {
  const { post } = await testApp(t, { env: { PRODUCT_NAME: 'Zorbel Quintax' } });
  const register = (password: string) =>
    post('/v1/register', { email: 'ada@example.com', password });
  for (const password of [
    'Zorbel Quintax',
    'zorbelquintax12',
    'ZorbelQuintax2026',
    'quintax-quintax-quintax',
    'Zorbel Quintax Zorbel Quintax',
  ])
    refused(t, await register(password.padEnd(15, '1')), 422, 'invalid_input');
  t.equal((await register('latchkey of a rusty lantern')).statusCode, 201);
});
