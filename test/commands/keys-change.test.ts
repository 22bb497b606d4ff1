import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Key, type KeySet, keyState, readKeySet } from '../../src/parts/keys/key-set.ts';
import { newMasterSecret, newSigningKey } from '../../src/parts/keys/new-keys.ts';
import type { PrivateJwk } from '../../src/schemas/jwk.ts';
import { folder } from '../databases.ts';
import { keySet } from '../test-app.ts';
import { keysCommand } from './key-commands.ts';

const NOW = Date.parse('2026-11-26T12:00:00Z');
const SECONDS = NOW / 1_000;
const DAY = 86_400;

/** A key file, the commands on it at a time of the test, and its keys. */
function keyFile(t: Test, ...jwks: PrivateJwk[]) {
  const path = join(folder(t), 'keys.json');
  writeFileSync(path, keySet(...jwks), { mode: 0o600 });
  const env = { SIGNING_KEYS: path, DATABASE_URL: 'file::memory:' };
  const text = () => readFileSync(path, 'utf8');
  return {
    path,
    env,
    text,
    jwks: () => JSON.parse(text()).keys as PrivateJwk[],
    set: () => readKeySet(text()),
    run: (
      name: Parameters<typeof keysCommand>[0],
      given: Partial<Parameters<typeof keysCommand>[1]> = {},
    ) => keysCommand(name, { env, now: NOW, ...given }),
  };
}

const states = (set: KeySet, use: keyof KeySet, now: number) => {
  const all: Key[] = set[use];
  return all.map((key) => keyState(key, all, now));
};

const old = newSigningKey('EdDSA', SECONDS - DAY);
const master = newMasterSecret(SECONDS - DAY);

t.test('new adds a key that waits until no verifier has an older key set', async (t) => {
  const { run, set, jwks, path, text } = keyFile(t, old, master);
  const { code, out, err } = await run('new');
  t.same([code, err], [0, '']);
  const [, next] = set().signing;
  t.match(next, { alg: 'EdDSA', notBefore: NOW + 600_000, notAfter: Infinity });
  t.match(jwks(), [{ kid: old.kid }, { kid: master.kid }, { kid: next?.kid, iat: SECONDS }]);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.match(out, `  2026-11-26 12:10:00Z   EdDSA ${next?.kid} signs\n`);
  t.match(
    out,
    `  -                      EdDSA ${old.kid} verifies; \`rotate\` or \`retire\` ends it\n`,
  );
  t.notMatch(out, String(jwks()[2]?.['d']));

  const before = text();
  const again = await run('new', { now: NOW + 599_000 });
  t.match(again, {
    code: 65,
    out: '',
    err: `EdDSA ${next?.kid} is waiting already. It signs at 2026-11-26 12:10:00Z.`,
  });
  t.equal(text(), before);
});

t.test('new has an algorithm, and says who may refuse it', async (t) => {
  const { run, set } = keyFile(t, old, master);
  t.match(await run('new', { options: { alg: 'none' } }), {
    code: 64,
    err: /^--alg is one of ES256/,
  });
  const { out } = await run('new', { options: { alg: 'ES256' } });
  t.equal(set().signing[1]?.alg, 'ES256');
  t.match(out, /^Verifiers that accept only EdDSA will refuse its tokens\.$/m);
});

t.test('if no key is in use, the next one signs at once', async (t) => {
  for (const name of ['new', 'rotate'] as const) {
    const { run, set } = keyFile(t, { ...old, exp: SECONDS - 5 }, master);
    t.match(await run(name), { code: 0 });
    t.same(states(set(), 'signing', NOW), ['gone', 'signing']);
    t.equal(set().signing[1]?.alg, 'ES256');
  }
});

t.test('rotate adds the next key, and dates the one before it', async (t) => {
  const { run, set, text } = keyFile(t, old, master);
  const { code, out, err } = await run('rotate', { options: { alg: 'EdDSA' } });
  t.same([code, err], [0, '']);
  const { signing } = set();
  const next = signing[1] as Key;
  // Ten minutes until it signs; then the life of an access token and a minute.
  t.match(signing, [{ notAfter: NOW + (600 + 900 + 60) * 1_000 }, { notBefore: NOW + 600_000 }]);
  t.match(
    out,
    `  2026-11-26 12:10:00Z   EdDSA ${next.kid} signs\n  2026-11-26 12:26:00Z   EdDSA ${old.kid} is gone, as its last token has expired; \`retire\` removes it\n`,
  );
  const at = (second: number) => states(set(), 'signing', NOW + second * 1_000);
  t.same(
    [at(0), at(599)],
    [
      ['signing', 'published'],
      ['signing', 'published'],
    ],
  );
  t.same(
    [at(600), at(1_559)],
    [
      ['verifying', 'signing'],
      ['verifying', 'signing'],
    ],
  );
  t.same(at(1_560), ['gone', 'signing']);

  const before = text();
  t.match(await run('rotate'), {
    code: 65,
    err: `EdDSA ${next.kid} replaces the key in use already, at 2026-11-26 12:10:00Z.`,
  });
  t.equal(text(), before);
});

t.test('rotate takes the key that new has added', async (t) => {
  const { run, set } = keyFile(t, old, master);
  await run('new');
  t.match(await run('rotate', { options: { alg: 'ES256' } }), {
    code: 64,
    err: /is the next key\. Leave out --alg/,
  });
  t.match(await run('rotate', { now: NOW + 60_000 }), { code: 0 });
  t.match(set().signing, [{ notAfter: NOW + 1_560_000 }, { notBefore: NOW + 600_000 }]);
  t.equal(set().signing.length, 2);
});

t.test('rotate lengthens an end that is too early, and keeps one that is later', async (t) => {
  const early = keyFile(t, { ...old, exp: SECONDS + 60 }, master);
  await early.run('rotate');
  t.equal(early.set().signing[0]?.notAfter, NOW + 1_560_000);
  const late = keyFile(t, { ...old, exp: SECONDS + DAY }, master);
  await late.run('rotate');
  t.equal(late.set().signing[0]?.notAfter, NOW + DAY * 1_000);
});

t.test('rotate --master honours the old secret as long as its longest token', async (t) => {
  const { run, set, env } = keyFile(t, old, master);
  const { out } = await run('rotate', { options: { master: true } });
  t.match(set().masters, [
    { notAfter: NOW + (600 + 180 * DAY + 60) * 1_000 },
    { notBefore: NOW + 600_000 },
  ]);
  t.equal(set().signing.length, 1);
  t.match(out, `  2026-11-26 12:10:00Z   master secret ${set().masters[1]?.kid} signs\n`);
  t.match(await run('rotate', { options: { master: true, alg: 'ES256' } }), { code: 64 });
  const long = keyFile(t, old, master);
  await long.run('rotate', {
    options: { master: true },
    env: { ...env, SIGNING_KEYS: long.path, SESSION_MAX: '365d' },
  });
  t.equal(long.set().masters[0]?.notAfter, NOW + (600 + 365 * DAY + 60) * 1_000);
});

t.test('retire removes the keys that are gone, and says when the next one is', async (t) => {
  const { run, set, text } = keyFile(t, old, master);
  t.match(await run('retire'), { code: 0, out: 'No key is past its time.\n' });
  await run('rotate');
  const before = text();
  t.match(await run('retire', { now: NOW + 1_559_000 }), {
    code: 0,
    out: 'No key is past its time.\nThe next one is at 2026-11-26 12:26:00Z.\n',
  });
  t.equal(text(), before);
  t.match(await run('retire', { now: NOW + 1_560_000 }), {
    code: 0,
    out: `${old.kid} is removed.\n`,
  });
  t.same(states(set(), 'signing', NOW + 1_560_000), ['signing']);
});

t.test('retire ends a key that new has replaced, though it has no date', async (t) => {
  const { run, set } = keyFile(t, old, master);
  await run('new');
  await run('retire', { now: NOW + 1_559_000 });
  t.equal(set().signing.length, 2);
  await run('retire', { now: NOW + 1_560_000 });
  t.equal(set().signing.length, 1);
});

t.test(
  'drop of the signing key: a new one signs at once, for nodes with a slow clock too',
  async (t) => {
    const { run, set } = keyFile(t, old, master);
    const { code, out } = await run('drop', { argument: `${old.kid}` });
    t.equal(code, 0);
    const { signing } = set();
    t.notOk(signing.some(({ kid }) => kid === old.kid));
    t.match(signing, [{ alg: 'EdDSA', notBefore: NOW - 60_000, notAfter: Infinity }]);
    t.match(out, `${old.kid} is dropped.\n`);
    t.match(out, /Nobody is signed out/);
    t.match(
      out,
      `EdDSA ${signing[0]?.kid} signs now. Verifiers that do not look up an unknown kid refuse its tokens, up to 300 seconds.\n`,
    );
  },
);

t.test('drop of the signing key: the key that waits signs at once', async (t) => {
  const { run, set } = keyFile(t, old, master);
  await run('rotate');
  const [, next] = set().signing;
  const { out } = await run('drop', { argument: `${old.kid}`, now: NOW + 30_000 });
  t.match(set().signing, [{ kid: next?.kid, notBefore: NOW - 30_000 }]);
  t.match(
    out,
    /signs now\. It was in the file before: if the whole file has leaked, drop it, too\./,
  );
});

t.test('drop of a key that waits: the one before it goes on without an end', async (t) => {
  for (const use of ['signing', 'masters'] as const) {
    const { run, set } = keyFile(t, old, master);
    await run('rotate', { options: use === 'masters' ? { master: true } : {} });
    const { code, out } = await run('drop', { argument: `${set()[use][1]?.kid}` });
    t.equal(code, 0);
    t.match(out, /It had signed nothing/);
    const all: Key[] = set()[use];
    t.match(all, [{ notAfter: Infinity }]);
    t.equal(all.length, 1);
  }
  const later = newSigningKey('ES256', SECONDS + 600);
  const last = newSigningKey('ES256', SECONDS + 1_200);
  const { run, set } = keyFile(t, { ...old, exp: SECONDS + DAY }, later, last, master);
  await run('drop', { argument: `${last.kid}` });
  t.equal(set().signing[0]?.notAfter, NOW + DAY * 1_000, 'another one replaces it');
});

t.test('drop of a key that only verifies changes no other', async (t) => {
  const { run, set } = keyFile(t, old, master);
  await run('rotate');
  const [, next] = set().signing;
  const { out } = await run('drop', { argument: `${old.kid}`, now: NOW + 700_000 });
  t.match(set().signing, [{ kid: next?.kid, notBefore: NOW + 600_000 }]);
  t.notMatch(out, /signs now/);
});

t.test('drop of a master secret asks first, and says what it costs', async (t) => {
  const { run, set, text } = keyFile(t, old, master);
  const before = text();
  const asked = await run('drop', { argument: `${master.kid}` });
  t.match(asked, {
    code: 65,
    out: '',
    err: /signed\nout as soon as[\s\S]*rotate --master first[\s\S]*--yes/,
  });
  t.equal(text(), before);
  const { code, out } = await run('drop', { argument: `${master.kid}`, options: { yes: true } });
  t.equal(code, 0);
  t.same(
    states(set(), 'masters', NOW - 5_000),
    ['gone', 'signing'],
    'on a node whose clock is slow',
  );
  t.equal(set().masters[0]?.kid, master.kid, 'it still decrypts second factors');
  t.match(out, /retire has encrypted them again\.\nmaster secret \S{43} signs now\.\n$/);
  t.match(await run('drop', { argument: `${master.kid}`, options: { yes: true } }), {
    code: 65,
    err: `master secret ${master.kid} is gone already. \`retire\` removes it.`,
  });
  t.match(await run('drop', { argument: 'another' }), { code: 64, err: /^KID is the kid/ });
});

t.test(
  'commands refuse a key set that they cannot change, and what the service refuses',
  async (t) => {
    const { run, env, path } = keyFile(t, old, master);
    for (const name of ['new', 'rotate', 'drop'] as const) {
      const inline = await run(name, { env: { ...env, SIGNING_KEYS: keySet(old, master) } });
      t.match(inline, { code: 78, err: /^SIGNING_KEYS contains the key set itself/ });
      const missing = await run(name, { env: { ...env, SIGNING_KEYS: `${path}.json` } });
      t.match(missing, { code: 78, err: 'SIGNING_KEYS cannot be used: the file does not exist' });
    }
    mkdirSync(`${path}.lock`);
    t.match(await run('rotate'), {
      code: 73,
      err: `${path} cannot be written: the system says EISDIR`,
    });
  },
);

t.test('check finds nothing in a set that the commands made, at any time', async (t) => {
  const { run } = keyFile(t, old, master);
  const nothing = { code: 0, out: 'No problem found.\n', err: '' };
  t.same(await run('check'), nothing);
  await run('rotate');
  await run('rotate', { options: { master: true } });
  for (const minute of [0, 9, 10, 11, 25, 26, 60, 400 * 1_440])
    t.same(await run('check', { now: NOW + minute * 60_000 }), nothing, `${minute}`);
  const inline = { SIGNING_KEYS: keySet(old, master), DATABASE_URL: 'file::memory:' };
  t.same(await run('check', { env: inline }), nothing);
});

t.test('check names each problem', async (t) => {
  const next = newSigningKey('ES256', SECONDS + 600);
  const cases: [string, PrivateJwk[], number, RegExp][] = [
    [
      'ends, and nothing follows',
      [{ ...old, exp: SECONDS + 60 }, master],
      65,
      /^no signing key is in use from 2026-11-26T12:01:00Z on\n$/,
    ],
    [
      'nothing signs now',
      [{ ...old, exp: SECONDS }, master],
      78,
      /^no signing key is in use from 2026-11-26T12:00:00Z on\n$/,
    ],
    [
      'no master secret now',
      [old, { ...master, exp: SECONDS - 1 }],
      78,
      /^no master secret is in use/,
    ],
    [
      'a gap',
      [{ ...old, exp: SECONDS + 599 }, next, master],
      65,
      /no signing key is in use from 2026-11-26T12:09:59Z on\n/,
    ],
    [
      'ends too early',
      [{ ...old, exp: SECONDS + 700 }, next, master],
      65,
      /^\S+ ends at 2026-11-26T12:11:40Z, but its last token expires at 2026-11-26T12:25:00Z\n$/,
    ],
    [
      'ends before it starts',
      [old, { ...next, exp: SECONDS + 500 }, master],
      65,
      /ends before it starts\n/,
    ],
    [
      'is added too late',
      [old, { ...next, iat: SECONDS + 301 }, master],
      65,
      /signs from 2026-11-26T12:10:00Z on, less than 300 seconds after it was added/,
    ],
    [
      'is added too late, by hand',
      [old, { ...newSigningKey('ES256', SECONDS + 200) }, master],
      65,
      /less than 300 seconds after it was added/,
    ],
  ];
  for (const [what, jwks, code, err] of cases) {
    const { run, path } = keyFile(t, ...jwks);
    utimesSync(path, SECONDS, SECONDS);
    t.match(await run('check'), { code, out: '', err }, what);
  }
  const byHand = keyFile(
    t,
    { ...old, nbf: 0, exp: SECONDS + DAY },
    newSigningKey('ES256', SECONDS - DAY),
    master,
  );
  await byHand.run('rotate');
  utimesSync(byHand.path, SECONDS, SECONDS);
  t.match(
    await byHand.run('check'),
    { code: 0 },
    'a key that had signed before the file was written',
  );
  const dropped = keyFile(t, old, master);
  await dropped.run('drop', { argument: `${old.kid}` });
  t.match(await dropped.run('check'), { code: 0 }, 'the only key of a set is no surprise');
  const twice = keyFile(t, old, old, master);
  t.match(await twice.run('check'), { code: 78, err: /key 1: it appears twice$/ });
});

t.test('check names a file that others can open, or that git would commit', async (t) => {
  const { run, path } = keyFile(t, old, master);
  chmodSync(path, 0o644);
  t.match(await run('check'), {
    code: 65,
    err: `other users can open ${path} (mode 0644): run chmod 600\n`,
  });
  chmodSync(path, 0o600);
  execFileSync('git', ['init', '--quiet', join(path, '..')]);
  t.match(await run('check'), { code: 65, err: /^git would commit/ });
});
