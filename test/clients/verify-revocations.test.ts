import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Options } from '../../src/clients/verify.d.ts';
import { admin, signedIn } from '../people.ts';
import { asList, type Guarded, guarded, KEYS, LIST } from './guarded.ts';

const CLOSED: Partial<Options> = { revocations: { bound: 60, whenAway: 'closed' } };

/** At most five seconds. */
async function eventually(is: () => boolean | Promise<boolean>) {
  for (let look = 0; look < 500 && !(await is()); look += 1) await sleep(10);
}

const signOut = ({ node }: Guarded, token: string) =>
  node.as(token, { method: 'POST', url: '/v1/logout' });

t.test('a revoked token is refused, and the tokens of others are not', async (t) => {
  const all = await guarded(t);
  const { node, verifier, said, ada, pass, asked, network } = all;
  const root = await admin(node);
  const guard = verifier();
  const people = await Promise.all(
    ['bob', 'carol', 'dan', 'eve'].map((name) => signedIn(node, `${name}@example.com`)),
  );
  const [bob, carol, dan, eve] = people as [typeof ada, typeof ada, typeof ada, typeof ada];
  const codes = () =>
    Promise.all([ada, ...people].map(({ access_token }) => said(guard, access_token)));
  t.same(await codes(), ['ok', 'ok', 'ok', 'ok', 'ok']);
  t.equal(asked(LIST), 1, 'one request a second');

  await signOut(all, bob.access_token);
  await node.as(carol.access_token, { method: 'DELETE', url: '/v1/me/sessions' });
  const change = (id: string, payload: object) =>
    node.as(root.access_token, { method: 'PATCH', url: `/v1/users/${id}`, payload });
  await change(dan.id, { status: 'disabled' });
  t.same(await codes(), ['ok', 'ok', 'ok', 'ok', 'ok'], 'for a second');
  await pass(1_000);
  const revoked = 'token_revoked';
  t.same(await codes(), ['ok', revoked, revoked, revoked, 'ok']);
  t.match(network.requests.at(-1), /\?since=/, 'only what came later');
  await change(eve.id, { roles: ['editor'] });
  await change(eve.id, { roles: [] });
  await pass(1_000);
  t.same(await codes(), ['ok', revoked, revoked, revoked, revoked]);

  const late = verifier();
  t.equal(await said(late, bob.access_token), revoked, 'from the whole list');
  t.equal(await said(verifier({ revocations: false }), bob.access_token), 'ok');
});

t.test('an entry is kept for 16 minutes, and the higher version of a user counts', async (t) => {
  const { verifier, said, list, instead, pass, forger, ada } = await guarded(t);
  const guard = verifier();
  const token = (claims = {}) => {
    const iat = Math.floor(Date.now() / 1_000);
    return forger.withClaims({ iat, exp: iat + 900, ...claims });
  };
  const heard = async (changes: object) => {
    instead(LIST, asList(list({ ...changes })));
    await pass(1_000);
    await said(guard, token());
  };
  await heard({ sessions: ['one'], users: { [ada.id]: 3 } });
  await heard({ sessions: ['two'], users: { [ada.id]: 2, other: 'many' } });
  t.equal(await said(guard, token({ ver: 2 })), 'token_revoked');
  t.equal(await said(guard, token({ ver: 3 })), 'ok');
  t.equal(await said(guard, token({ sub: 'other', ver: 0 })), 'ok');
  await pass(957_000);
  await heard({ users: { [ada.id]: 3 } });
  t.equal(await said(guard, token({ ver: 3, sid: 'one' })), 'token_revoked');
  await heard({});
  t.equal(await said(guard, token({ ver: 3, sid: 'one' })), 'ok');
  t.equal(await said(guard, token({ ver: 3, sid: 'two' })), 'token_revoked');
  t.equal(await said(guard, token({ ver: 2 })), 'token_revoked', 'said again in between');
});

/** What a hostile network answers in place of the list, and how a verifier takes it. */
async function hostile(t: Test) {
  const all = await guarded(t);
  const { list, forger, ada, network } = all;
  const stolen = await signedIn(all.node, 'mallory@example.com');
  await signOut(all, stolen.access_token);
  const old = Math.floor(Date.now() / 1_000);
  const answers = {
    forged: asList(`${list({ sessions: [ada.session_id] }).slice(0, -8)}AAAAAAAA`),
    unsigned: asList(`${forger.input({ header: { alg: 'none', typ: 'revocations+jwt' } })}.`),
    'by another issuer': asList(list({ iss: 'https://other.example.com' })),
    'for another audience': asList(list({ aud: network.origin })),
    'an access token': asList(ada.access_token),
    'of another type': asList(list({}, { typ: 'at+jwt' })),
    'with crit': asList(list({}, { crit: ['exp'] })),
    'without times': asList(list({ exp: undefined })),
    'without a cursor': asList(list({ cursor: 1 })),
    'without sessions': asList(list({ sessions: {} })),
    'without users': asList(list({ users: null })),
    'text for users': asList(list({ users: 'none' })),
    'whole seconds': asList(list({ iat: old + 0.5 })),
    'from the future': asList(list({ iat: old + 7_200, exp: old + 7_260 })),
    'a part for another cursor': asList(list({ since: 'later', cursor: 'last' })),
    'a captive portal': { status: 200, headers: { 'content-type': 'text/html' }, body: '<p>Hi' },
    redirected: { status: 302, headers: { location: '/v1/whoami' } },
    away: { status: 503, headers: { 'retry-after': '1' } },
    endless: asList('a'.repeat(17_000_000)),
    empty: asList(''),
    lost: 'lost' as const,
  };
  return { ...all, stolen, answers };
}

t.test('a hostile answer adds nothing, takes nothing away and is not fresh', async (t) => {
  const { answers, verifier, said, stolen, instead, pass, asked, ...all } = await hostile(t);
  const [open, closed] = [verifier(), verifier(CLOSED)];
  const both = async (token?: string) => [await said(open, token), await said(closed, token)];
  t.same(await both(stolen.access_token), ['token_revoked', 'token_revoked']);
  for (const [name, answer] of Object.entries(answers)) {
    instead(LIST, answer);
    await pass(1_000);
    t.same(await both(), ['ok', 'ok'], name);
    t.same(await both(stolen.access_token), ['token_revoked', 'token_revoked'], name);
  }
  // Nothing of it made the list of half a minute ago younger.
  await pass(60_000);
  t.same(await both(), ['ok', 'issuer_away']);
  t.same(await both(stolen.access_token), ['token_revoked', 'token_revoked']);
  const error = await closed.verify(all.ada.access_token).catch((error) => error);
  t.match(error, { status: 503, headers: { 'Retry-After': '5' }, reason: String });
  instead(LIST, undefined);
  await pass(1_000);
  t.same(await both(), ['ok', 'ok'], 'back');

  for (const [name, answer] of Object.entries(answers)) {
    instead(LIST, answer);
    t.equal(await said(verifier()), 'ok', `${name}, from the start`);
    t.equal(await said(verifier(CLOSED)), 'issuer_away', `${name}, from the start`);
  }
});

t.test('a list that comes again is no younger, and a shorter one takes nothing away', async (t) => {
  const { verifier, said, list, instead, pass, ada } = await guarded(t);
  const guard = verifier(CLOSED);
  const empty = asList(list());
  const full = asList(list({ sessions: [ada.session_id] }));
  instead(LIST, full);
  t.equal(await said(guard), 'token_revoked');
  instead(LIST, empty);
  await pass(1_000);
  t.equal(await said(guard), 'token_revoked');

  const other = verifier(CLOSED);
  // The clock runs on while the test waits for answers.
  for (let seconds = 1; seconds < 51; seconds += 1) {
    t.equal(await said(other), 'ok');
    await pass(1_000);
  }
  await pass(10_000);
  t.equal(await said(other), 'issuer_away', 'the list is a minute old');
  await pass(5_000);
  t.equal(await said(verifier(CLOSED)), 'issuer_away', 'it has expired');
});

t.test('clocks may differ by five seconds', async (t) => {
  for (const [skew, code] of [
    [-4_000, 'ok'],
    [4_000, 'ok'],
    [-30_000, 'token_invalid'],
    [50_000, 'ok'],
    [70_000, 'issuer_away'],
  ] as const) {
    const all = await guarded(t);
    all.skew(skew);
    t.equal(await all.said(all.verifier(CLOSED)), code, `${skew}`);
  }
});

t.test('an issuer that is slow delays nobody for longer than a few seconds', async (t) => {
  const { verifier, said, network } = await guarded(t);
  const held = Promise.withResolvers<undefined>();
  const guard = verifier({ background: true });
  const other = network.there;
  network.there = (request) => (request.url?.startsWith(LIST) ? held.promise : other(request));
  t.equal(await said(guard), 'ok', 'open: the list did not come');
  held.resolve(undefined);
});

t.test('in the background it asks one thing at a time, and stops when it is closed', async (t) => {
  const all = await guarded(t);
  const { verifier, said, asked, network, node, instead } = all;
  const guard = verifier({ background: true });
  const tokens = Array.from({ length: 20 }, () => said(guard));
  t.same([...new Set(await Promise.all(tokens))], ['ok']);
  t.equal(asked(KEYS), 1);
  await eventually(() => node.context.revocationLog.waiting === 1);
  t.equal(asked(LIST), 2, 'the second one waits');
  const bob = await signedIn(node, 'bob@example.com');
  t.equal(await said(guard, bob.access_token), 'ok');
  await signOut(all, bob.access_token);
  await eventually(async () => (await said(guard, bob.access_token)) === 'token_revoked');
  t.equal(await said(guard, bob.access_token), 'token_revoked');

  instead(LIST, { status: 503 });
  const carol = await signedIn(node, 'carol@example.com');
  await signOut(all, carol.access_token);
  const before = asked(LIST);
  await eventually(() => asked(LIST) >= before + 2);
  instead(LIST, undefined);
  await eventually(async () => (await said(guard, carol.access_token)) === 'token_revoked');
  t.equal(await said(guard, carol.access_token), 'token_revoked', 'after an outage');

  await eventually(() => node.context.revocationLog.waiting === 1);
  guard.close();
  const asksNoMore = network.requests.length;
  t.equal(await said(guard), 'ok');
  await sleep(600);
  t.equal(network.requests.length, asksNoMore);
});

t.test('it asks again after a first answer that failed, until it is closed', async (t) => {
  const { verifier, said, asked, instead } = await guarded(t);
  instead(LIST, 'lost');
  const guard = verifier({ ...CLOSED, background: true });
  t.equal(await said(guard), 'issuer_away');
  instead(LIST, undefined);
  await eventually(async () => (await said(guard)) === 'ok');
  t.equal(await said(guard), 'ok');
  guard.close();
  instead(LIST, 'lost');
  const other = verifier({ background: true });
  await said(other);
  other.close();
  const before = asked(LIST);
  await sleep(700);
  t.equal(asked(LIST), before, 'a closed one asks no more');
});

t.test('a connection hears of the end of its token once', async (t) => {
  const all = await guarded(t);
  const { verifier, node, forger, ada } = all;
  const guard = verifier({ background: true });
  const heard: string[] = [];
  const bob = await signedIn(node, 'bob@example.com');
  const on = async (name: string, token: string) => {
    const claims = await guard.verify(token);
    return { claims, stop: guard.onEnd(claims, (code) => heard.push(`${name} ${code}`)) };
  };
  await on('ada', ada.access_token);
  const short = Math.floor(Date.now() / 1_000) + 2;
  await on('short', forger.withClaims({ exp: short }));
  const left = await on('left', bob.access_token);
  const { claims } = await on('bob', bob.access_token);
  left.stop();
  await signOut(all, bob.access_token);
  await eventually(() => heard.includes('bob token_revoked'));
  guard.onEnd(claims, (code) => heard.push(`late ${code}`));
  guard.onEnd(claims, () => heard.push('removed'))();
  await eventually(() => heard.length === 3);
  t.same(heard.sort(), ['bob token_revoked', 'late token_revoked', 'short token_expired']);
  t.ok(Date.now() >= short * 1_000 - 1);

  const without = verifier({ revocations: false });
  const ended: string[] = [];
  without.onEnd({ ...claims, exp: Date.now() / 1_000 }, (code) => ended.push(code));
  await eventually(() => ended.length === 1);
  t.same(ended, ['token_expired']);
  without.close();
});

t.test('in Cloudflare Workers nothing runs between requests', async (t) => {
  const { verifier, said, node, asked } = await guarded(t);
  t.intercept(globalThis, 'navigator', {
    value: { userAgent: 'Cloudflare-Workers' },
    configurable: true,
  });
  const guard = verifier({ background: undefined as never });
  t.same(await Promise.all([said(guard), said(guard)]), ['ok', 'ok']);
  t.equal(asked(KEYS), 2, 'no request waits for that of another');
  await sleep(600);
  t.equal(node.context.revocationLog.waiting, 0);
});

t.test('it keeps no process alive', async (t) => {
  const { network, ada } = await guarded(t);
  for (const [background, end] of [
    [true, 'verifier.close()'],
    [false, ''],
  ]) {
    const script = `import { createVerifier } from '${import.meta.resolve('../../src/clients/verify.js')}';
const verifier = createVerifier({ issuer: '${network.origin}', background: ${background} });
const claims = await verifier.verify('${ada.access_token}');
verifier.onEnd(claims, () => {});
${end}`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: 60_000,
    });
    const [code] = await once(child, 'exit');
    t.equal(code, 0, `${background}`);
  }
});
