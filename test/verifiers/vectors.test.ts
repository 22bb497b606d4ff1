import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createVerifier } from 'fast-jwt';
import { createLocalJWKSet, jwtVerify } from 'jose';
import jwt, { type Algorithm } from 'jsonwebtoken';
import t from 'tap';
import { KeyRing } from '../../src/parts/keys/key-ring.ts';
import { readKeySet } from '../../src/parts/keys/key-set.ts';
import { newMasterSecret } from '../../src/parts/keys/new-keys.ts';
import { Revocations } from '../../src/parts/revocations/revocations.ts';
import { AccessTokens } from '../../src/parts/tokens/access-tokens.ts';
import { buildJws } from '../../src/parts/tokens/jws.ts';
import { keySet } from '../test-app.ts';
import EdDSA from '../vectors/EdDSA.json' with { type: 'json' };
import ES256 from '../vectors/ES256.json' with { type: 'json' };
import PS256 from '../vectors/PS256.json' with { type: 'json' };
import RS256 from '../vectors/RS256.json' with { type: 'json' };
import published from '../vectors/test-keys.json' with { type: 'json' };
import { ALGORITHMS, type VectorKeys, type VectorSet, vectorSetOf } from '../vectors/vectors.ts';

const { keys } = published as unknown as { keys: VectorKeys };
const sets = [ES256, RS256, PS256, EdDSA] as VectorSet[];

/** Throws or rejects for a token that it refuses. */
type Verify = (token: string) => unknown;

/** The key of the set that a header names, as PEM. */
const pemOf = ({ jwks }: VectorSet, kid: unknown) => {
  const key = jwks.keys.find((key) => key['kid'] === kid);
  if (key === undefined) throw new Error('unknown kid');
  const options = { key: key as JsonWebKey, format: 'jwk' } as const;
  return String(createPublicKey(options).export({ type: 'spki', format: 'pem' }));
};

/** As each documentation tells a verifier of access tokens to set it up. */
const verifiers: Record<string, (set: VectorSet) => Verify | Promise<Verify>> = {
  Latchkey: async ({ alg, issuer, audience, now }) => {
    const clock = () => now * 1_000;
    const jwks = readKeySet(keySet(keys[alg].trusted, newMasterSecret(0)));
    const ring = await KeyRing.open(jwks, clock(), { issuer, audience, build: buildJws });
    const revocations = new Revocations(() => 0);
    const tokens = new AccessTokens({ issuer, audience, keys: ring, revocations, clock });
    return (token) => tokens.read(token);
  },
  jose: ({ alg, issuer, audience, typ, now, jwks }) => {
    const keySet = createLocalJWKSet(jwks as never);
    const currentDate = new Date(now * 1_000);
    const requiredClaims = ['sub', 'exp'];
    const options = { algorithms: [alg], issuer, audience, typ, currentDate, requiredClaims };
    return (token) => jwtVerify(token, keySet, options);
  },
  'fast-jwt': (set) =>
    createVerifier({
      key: async ({ header }: { header: Record<string, unknown> }) => pemOf(set, header['kid']),
      algorithms: [set.alg],
      allowedIss: set.issuer,
      allowedAud: set.audience,
      checkTyp: set.typ,
      requiredClaims: ['iss', 'aud', 'sub', 'exp'],
      clockTimestamp: set.now * 1_000,
    }),
  jsonwebtoken: (set) => {
    const { alg, issuer, audience, now: clockTimestamp } = set;
    const options = { algorithms: [alg as Algorithm], issuer, audience, clockTimestamp };
    return (token) =>
      jwt.verify(token, pemOf(set, jwt.decode(token, { complete: true })?.header.kid), options);
  },
};

const verdictOf = async (verify: Verify, token: string) => {
  try {
    await verify(token);
    return 'accept';
  } catch {
    return 'refuse';
  }
};

/** jsonwebtoken knows no EdDSA (test/verifiers/libraries.test.ts). */
const canRead = (name: string, { alg }: VectorSet) => name !== 'jsonwebtoken' || alg !== 'EdDSA';

/** What each verifier says where it differs from the vector, by vector. */
async function differences(): Promise<Map<string, Record<string, string>>> {
  const found = new Map<string, Record<string, string>>();
  for (const [name, build] of Object.entries(verifiers)) {
    for (const set of sets.filter((set) => canRead(name, set))) {
      const verify = await build(set);
      for (const { id, verdict, token } of set.tokens) {
        const said = await verdictOf(verify, token);
        if (said !== verdict) found.set(id, { ...found.get(id), [name]: `${said}s` });
      }
    }
  }
  return found;
}

t.test('the table of differences says where four verifiers leave the vectors', async (t) => {
  const found = await differences();
  const names = Object.keys(verifiers);
  const rows = ES256.tokens
    .filter(({ id }) => found.has(id))
    .map(({ id, verdict }) => [
      `\`${id}\``,
      verdict,
      ...names.map((name) => found.get(id)?.[name] ?? ''),
    ]);
  const page = readFileSync('test/vectors/README.md', 'utf8');
  const [, shown] = page.split('## Differences');
  const [heads, , ...lines] = (shown?.match(/^\| .*(?= \|$)/gm) ?? []).map((line) =>
    line
      .split('|')
      .slice(1)
      .map((cell) => cell.trim()),
  );
  t.same(heads, ['vector', 'should', ...names]);
  t.same(lines, rows);
  const latchkey = [...found].filter(([, { Latchkey }]) => Latchkey !== undefined);
  t.ok(
    latchkey.every(([, { Latchkey }]) => Latchkey === 'refuses'),
    'our own verifier accepts nothing that is to be refused',
  );
});

t.test('the published files are those that the generator makes', async (t) => {
  t.same(
    sets.map(({ alg }) => alg),
    ALGORITHMS,
  );
  for (const set of sets) {
    t.same(vectorSetOf(set.alg, keys[set.alg], set), set, set.alg);
    t.match(set, { version: /^\d+\.\d+\.\d+$/, jwks: { keys: [{ alg: set.alg }] } });
    t.equal(new Set(set.tokens.map(({ id }) => id)).size, set.tokens.length, 'unique');
    t.same(
      set.tokens.map(({ source }) => source).filter((text) => !/^RFC \d+ section/.test(text)),
      [],
    );
    for (const key of set.jwks.keys)
      t.same(
        Object.keys(key).filter((name) => /^([dpqk]|dp|dq|qi)$/.test(name)),
        [],
        'public',
      );
  }
});

t.test('a set that is made anew gets the same verdicts', async (t) => {
  const verify = verifiers['jose'] as (typeof verifiers)[string];
  for (const alg of ALGORITHMS) {
    const anew = vectorSetOf(alg, keys[alg]);
    const old = sets.find((set) => set.alg === alg) as VectorSet;
    const [one, two] = [await verify(anew), await verify(old)];
    for (const [index, { id, token }] of anew.tokens.entries())
      t.equal(
        await verdictOf(one, token),
        await verdictOf(two, old.tokens[index]?.token ?? ''),
        `${alg}: ${id}`,
      );
  }
});
