import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { encode, segmentsOf } from '../attacks/forger.ts';
import { asList, guarded, KEYS, LIST } from '../clients/guarded.ts';
import { isInstalled, nginx } from '../nginx.ts';
import { signedIn } from '../people.ts';
import { badTokens, boundToken } from './issuer.ts';

/** Where Debian's libnginx-mod-http-js has it. */
const MODULE = '/usr/lib/nginx/modules/ngx_http_js_module.so';

const page = readFileSync('.github/VERIFYING.md', 'utf8');
const [, upstream = ''] = /^## nginx$[\s\S]*?^```nginx\n([\s\S]*?)^```$/m.exec(page) ?? [];
const [, guard = '', inHttp = '', inServer = ''] =
  /^### nginx with njs$[\s\S]*?^```js\n([\s\S]*?)^```$[\s\S]*?^```nginx\n([\s\S]*?)^```$[\s\S]*?^```nginx\n([\s\S]*?)^```$/m.exec(
    page,
  ) ?? [];

t.test('nginx with njs refuses a revoked token, and what else is to be refused', async (t) => {
  if (!existsSync(MODULE) || !(await isInstalled())) {
    t.comment(
      'NOT RUN: nginx or libnginx-mod-http-js is not installed, so its recipe was not tried',
    );
    return;
  }
  const { network, node, ada, forger, list, instead, asked } = await guarded(t);
  const bob = await signedIn(node, 'bob@example.com', { roles: ['editor', 'author'] });
  const eve = await signedIn(node, 'eve@example.com');
  const { get, heard, said } = await nginx(t, {
    latchkey: Number(new URL(network.origin).port),
    inMain: `load_module ${MODULE};`,
    inHttp: upstream + inHttp,
    inServer,
    files: { 'guard.js': guard.replace('https://auth.example.com', network.origin) },
  });
  const as = (token: string) => get('/api/', { Authorization: `Bearer ${token}` });

  const now = Math.floor(node.clock.now / 1_000);
  const [head, , signature] = segmentsOf(list());
  const [, unsigned] = segmentsOf(list());
  const useless = {
    'other claims under the signature': `${head}.${segmentsOf(list({ cursor: 'x' }))[1]}.${signature}`,
    'no signature': `${encode({ ...forger.header, alg: 'none' })}.${unsigned}.`,
    'an access token': list({}, { typ: 'at+jwt' }),
    'an unknown key': list({}, { kid: 'unknown' }),
    'for another audience': list({ aud: network.origin }),
    'of another issuer': list({ iss: 'https://other.example.com' }),
    'older than a minute': list({ iat: now - 120, exp: now - 60 }),
    'without an end': list({ exp: undefined }),
  };
  for (const [name, document] of Object.entries(useless)) {
    instead(LIST, asList(document));
    const answer = await as(ada.access_token);
    t.match(answer, { status: 503, headers: { 'retry-after': '1' } }, name);
  }
  instead(LIST, { status: 503, body: '' });
  t.match(await as(ada.access_token), { status: 503 }, 'the issuer is away');
  t.match(said(), /no list of revoked tokens: revocations: 503/);
  instead(LIST, undefined);
  t.same(heard, [], 'nothing reached the application');

  const before = asked(LIST);
  const forged = { 'X-Auth-Subject': 'root', 'X-Auth-Roles': 'admin', 'X-Auth-Session': 'forged' };
  const answer = await get('/api/', { Authorization: `Bearer ${bob.access_token}`, ...forged });
  t.match(answer, { status: 200, body: 'the application' });
  const headers = heard.flat();
  const of = (name: string) =>
    headers.filter((_, index) => index % 2 === 1 && headers[index - 1] === name);
  t.same(of('X-Auth-Subject'), [bob.id]);
  t.same(of('X-Auth-Roles'), ['editor,author']);
  t.same(of('X-Auth-Session'), [bob.session_id]);
  t.notMatch(headers.join('\n'), /admin|root|forged|Bearer/i);

  const [header, claims] = forger.segments;
  const bad = {
    ...badTokens(forger, ada, now),
    'bound to a key': boundToken(forger),
    'a list': list(),
    'no token': '',
    'two parts': `${header}.${claims}`,
    'four parts': `${ada.access_token}.${claims}`,
    'empty parts': '..',
    'no JSON': 'a.b.c',
    'a header that is null': `${encode(null as never)}.${claims}.`,
    'an empty signature': `${header}.${claims}.`,
    'a short signature': `${header}.${claims}.AAAA`,
    'a long signature': `${header}.${claims}.${'A'.repeat(2_000)}`,
    'a signature of zeros': `${header}.${claims}.${'A'.repeat(86)}`,
  };
  for (const [name, token] of Object.entries(bad)) {
    const refused = await as(token);
    t.match(refused, { status: 401, headers: { 'www-authenticate': /invalid_token/ } }, name);
  }
  t.match(await get('/api/'), { status: 401 });
  t.match(await get('/_latchkey/revocations'), { status: 404 }, 'nobody asks it from outside');
  for (const { access_token } of [ada, bob, eve]) t.match(await as(access_token), { status: 200 });
  t.equal(asked(KEYS), 1, 'the key set is kept');
  t.ok(asked(LIST) - before < 10, 'the list is kept for a second');

  await node.as(bob.access_token, { method: 'POST', url: '/v1/logout' });
  await node.as(eve.access_token, { method: 'DELETE', url: '/v1/me/sessions' });
  for (const { access_token } of [bob, eve])
    while ((await as(access_token)).status !== 401) await sleep(50);
  t.match(await as(ada.access_token), { status: 200 });
});
