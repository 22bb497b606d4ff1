import { createHmac } from 'node:crypto';
import t from 'tap';
import { derive } from '../../../src/parts/keys/derived-keys.ts';
import { readKeySet } from '../../../src/parts/keys/key-set.ts';
import { newMasterSecret, newSigningKey } from '../../../src/parts/keys/new-keys.ts';
import { OwnTokens } from '../../../src/parts/tokens/own-tokens.ts';
import type { PrivateJwk } from '../../../src/schemas/jwk.ts';
import { NOW } from '../../rules/samples.ts';
import { keySet, TestClock } from '../../test-app.ts';
import { ISSUER, ringOf } from '../rings.ts';

const SECONDS = NOW / 1_000;
const signing = newSigningKey('ES256', 0);
const master = newMasterSecret(0);
const refresh = {
  sub: 'user',
  sid: 'session',
  gen: 3,
  ver: 1,
  dev: 'device',
  iat: SECONDS,
  exp: SECONDS + 60,
};

async function service(jwks: PrivateJwk[] = [signing, master]) {
  const clock = new TestClock();
  const keys = await ringOf(jwks);
  return { own: new OwnTokens({ issuer: ISSUER, keys, clock: () => clock.now }), keys, clock };
}

t.test('the same claims give the same token, so that a retry gets the same one', async (t) => {
  const { own, clock } = await service();
  const token = own.issue('refresh', refresh);
  clock.advance(10_000);
  t.equal(own.issue('refresh', refresh), token);
  t.not(own.issue('refresh', { ...refresh, gen: 4 }), token);
});

t.test('an issued token can be read, with this service as issuer and audience', async (t) => {
  const { own } = await service();
  t.same(own.read('refresh', own.issue('refresh', refresh)), {
    iss: ISSUER,
    aud: ISSUER,
    ...refresh,
  });
});

t.test('a token is valid before its exp, not at it', async (t) => {
  const { own, clock } = await service();
  const token = own.issue('refresh', refresh);
  clock.advance(59_999);
  t.ok(own.read('refresh', token));
  clock.advance(1);
  t.equal(own.read('refresh', token), undefined);
});

t.test('KEY-08 a token of one kind is not accepted as another', async (t) => {
  const { own } = await service();
  const device = own.issue('device', {
    sub: 'user',
    jti: 'device',
    iat: SECONDS,
    exp: SECONDS + 60,
  });
  t.ok(own.read('device', device));
  t.equal(own.read('refresh', device), undefined);
  t.equal(own.read('device', own.issue('refresh', refresh)), undefined);
});

t.test('anything that is not a token of this service is undefined, never an error', async (t) => {
  const { own, keys } = await service();
  const token = own.issue('refresh', refresh);
  const [header = '', payload = '', signature = ''] = token.split('.');
  const signer = keys.signer('refresh', NOW);
  const whole = { iss: ISSUER, aud: ISSUER, ...refresh };
  const strangers = [
    '',
    '.',
    'x',
    token.slice(0, -2),
    `${token}=`,
    `${token}.`,
    `${header}.${payload}.${Buffer.alloc(32).toString('base64url')}`,
    `${header}.${Buffer.from(JSON.stringify({ ...whole, gen: 4 })).toString('base64url')}.${signature}`,
    signer.sign({ ...whole, iss: 'https://other.example.com' }),
    signer.sign({ ...whole, aud: 'https://other.example.com' }),
    signer.sign({ ...whole, gen: -1 }),
    signer.sign({ ...whole, gen: 1.5 }),
    signer.sign({ ...whole, sub: '' }),
    signer.sign({ ...whole, role: 'admin' }),
    signer.sign(Object.fromEntries(Object.entries(whole).filter(([name]) => name !== 'dev'))),
    signer.sign({ ...whole, dev: 'x'.repeat(4_096) }),
  ];
  for (const stranger of strangers)
    t.equal(own.read('refresh', stranger), undefined, stranger.slice(-20));
  t.ok(own.read('refresh', signer.sign(whole)));
});

t.test(
  'a token of another deployment is refused, one of a replaced secret is accepted',
  async (t) => {
    const { own } = await service();
    const other = await service([signing, newMasterSecret(0)]);
    t.equal(own.read('refresh', other.own.issue('refresh', refresh)), undefined);

    const next = newMasterSecret(SECONDS);
    const { own: rotated, keys } = await service([signing, { ...master, exp: SECONDS + 10 }, next]);
    t.ok(rotated.read('refresh', own.issue('refresh', refresh)));
    await keys.replace(readKeySet(keySet(signing, next)), NOW);
    t.equal(
      rotated.read('refresh', own.issue('refresh', refresh)),
      undefined,
      'refused once the secret is removed',
    );
  },
);

t.test('TOK-14 a signed token in non-canonical form is refused', async (t) => {
  const { own, keys } = await service();
  const [header = ''] = own.issue('refresh', refresh).split('.');
  const key = derive(keys.masterInUse(NOW).secret, 'refresh');
  const signed = (claims: string) => {
    const input = `${header}.${Buffer.from(claims).toString('base64url')}`;
    return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
  };
  const claims = JSON.stringify({ iss: ISSUER, aud: ISSUER, ...refresh });
  t.ok(own.read('refresh', signed(claims)), 'the forger can make valid tokens');
  for (const other of [
    ` ${claims}`,
    claims.replaceAll(',', ', '),
    claims.replace('"user"', '"\\u0075ser"'),
    claims.replace('{', '{"sub":"eve",'),
    claims.replace('"gen":3', '"gen":3.0'),
  ])
    t.equal(own.read('refresh', signed(other)), undefined, other);
});

t.test('TOK-16 a token of 4,096 characters is read, a longer one is refused', async (t) => {
  const { own } = await service();
  const tokens = new Map(
    Array.from({ length: 100 }, (_, more) => {
      const token = own.issue('refresh', { ...refresh, sid: 'x'.repeat(2_750 + more) });
      return [token.length, token];
    }),
  );
  t.ok(own.read('refresh', tokens.get(4_096) ?? ''));
  t.equal(own.read('refresh', tokens.get(4_097) ?? 'there is one'), undefined);
  t.ok(tokens.has(4_097));
});
