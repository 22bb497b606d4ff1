import { equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { newMasterSecret, newSigningKey } from '../../src/parts/keys/new-keys.ts';
import { isCustomName } from '../../src/schemas/custom-claims.ts';
import { SigningAlgorithm } from '../../src/schemas/jwk.ts';
import { signedIn } from '../people.ts';
import { keySet, testApp } from '../test-app.ts';
import { encode, Forger, type Json, segmentsOf } from './forger.ts';

/** Ends after this many runs or milliseconds. A failure shows its seed and the smallest token. */
const BOUNDS = { numRuns: 150, interruptAfterTimeLimit: 1_000, markInterruptAsFailure: false };

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

type Change = (token: string) => string;
const anyIndex = fc.nat(10_000);
const at = <Item>(items: ArrayLike<Item>, index: number): Item =>
  items[index % items.length] as Item;
const replaced = (token: string, index: number, change: (segment: string) => string): string => {
  const segments = segmentsOf(token);
  segments[index] = change(segments[index] ?? '');
  return segments.join('.');
};
const spliced = (text: string, index: number, count: number, insert = ''): string => {
  const from = index % (text.length + 1);
  return text.slice(0, from) + insert + text.slice(from + count);
};

const aSegment = fc.nat(2);

/** Flips a bit of a decoded segment. */
const flipped: fc.Arbitrary<Change> = fc
  .tuple(aSegment, fc.array(anyIndex, { minLength: 1, maxLength: 3 }))
  .map(
    ([index, bits]) =>
      (token) =>
        replaced(token, index, (segment) => {
          const bytes = Buffer.from(segment, 'base64url');
          for (const bit of bytes.length > 0 ? bits : []) {
            const byte = (bit >> 3) % bytes.length;
            bytes.writeUInt8(bytes.readUInt8(byte) ^ (1 << (bit & 7)), byte);
          }
          return encode(bytes);
        }),
  );

/** Changes, removes or inserts characters. */
const respelled: fc.Arbitrary<Change> = fc
  .tuple(anyIndex, fc.nat(3), fc.oneof(fc.constantFrom(...BASE64URL), fc.string({ maxLength: 3 })))
  .map(
    ([index, count, insert]) =>
      (token) =>
        spliced(token, index, count, insert),
  );

/** Swaps upper and lower case. */
const recased: fc.Arbitrary<Change> = fc
  .array(anyIndex, { minLength: 1, maxLength: 4 })
  .map((indices) => (token) => {
    const characters = [...token];
    for (const index of characters.length > 0 ? indices : []) {
      const where = index % characters.length;
      const character = at(characters, index);
      const upper = character.toUpperCase();
      characters[where] = character === upper ? character.toLowerCase() : upper;
    }
    return characters.join('');
  });

/** Doubles, drops, empties or swaps segments. */
const rearranged: fc.Arbitrary<Change> = fc
  .array(fc.constantFrom<'0' | '1' | '2' | ''>('0', '1', '2', ''), { maxLength: 6 })
  .map((order) => (token) => {
    const segments = segmentsOf(token);
    return order.map((index) => (index === '' ? '' : segments[Number(index)])).join('.');
  });

/** Shortens or lengthens the bytes of a segment. */
const resized: fc.Arbitrary<Change> = fc
  .tuple(aSegment, anyIndex, fc.uint8Array({ maxLength: 8 }))
  .map(
    ([index, length, tail]) =>
      (token) =>
        replaced(token, index, (segment) => {
          const bytes = Buffer.from(segment, 'base64url');
          return encode(Buffer.concat([bytes.subarray(0, length % (bytes.length + 1)), tail]));
        }),
  );

/** Replaces a segment with any text. */
const anything: fc.Arbitrary<Change> = fc
  .tuple(aSegment, fc.oneof(fc.json(), fc.string({ unit: 'binary' }), fc.base64String()))
  .map(
    ([index, text]) =>
      (token) =>
        replaced(token, index, () => encode(text)),
  );

const mutation = fc
  .array(fc.oneof(flipped, respelled, recased, rearranged, resized, anything), {
    minLength: 1,
    maxLength: 2,
  })
  .map(
    (changes): Change =>
      (token) =>
        changes.reduce((text, change) => change(text), token),
  );

/** Rewrites the JSON with the same meaning: white space, escapes, a repeated member. */
const rephrased = fc
  .tuple(fc.constantFrom('space', 'escape', 'twice', 'tail'), anyIndex, fc.json())
  .map(([way, index, json]) => (text: string) => {
    const members = [...text.matchAll(/[{,](?=")/g)].map(({ index }) => index + 1);
    const letters = [...text.matchAll(/[a-z]/gi)].map(({ index }) => index);
    switch (way) {
      case 'space':
        return spliced(text, at(members, index), 0, at([' ', '\n', '\t', '\r'], index));
      case 'escape': {
        const where = at(letters, index);
        const code = text.charCodeAt(where).toString(16).padStart(4, '0');
        return spliced(text, where, 1, `\\u${code}`);
      }
      case 'twice': {
        const [member = ''] = /^"\w+":/.exec(text.slice(at(members, index))) ?? [];
        return `{${member}${json},${text.slice(1)}`;
      }
      default:
        return `${text}${at([' ', '\n', '\0', ',', '}', '\ufeff'], index)}`;
    }
  });

const kindOf = (value: unknown) =>
  value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value;

/** A name that no claim of an account can have. */
const foreignName = fc.oneof(
  fc.string().filter((name) => !isCustomName(name)),
  fc.constantFrom('role', 'email', 'act', 'Sub', '__proto__'),
);

/** Gives a claim a value of another type, or adds a claim that the service does not issue. */
const altered = fc
  .tuple(anyIndex, fc.jsonValue(), foreignName)
  .map(([index, value, name]) => (json: Json): string => {
    const known = at(Object.keys(json), index);
    const members = Object.entries(json);
    if (kindOf(value) !== kindOf(json[known]))
      members.splice(
        members.findIndex(([name]) => name === known),
        1,
        [known, value],
      );
    else if (!(name in json) || name === '__proto__') members.push([name, value]);
    return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
  });

async function service(t: Test, alg: SigningAlgorithm) {
  const key = newSigningKey(alg, 0);
  const app = await testApp(t, { env: { SIGNING_KEYS: keySet(key, newMasterSecret(0)) } });
  const ada = await signedIn(app, 'ada@example.com', { roles: ['editor'] });
  const forger = new Forger(ada.access_token, key);
  const status = async (token: string): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    return (await app.app.inject({ url: '/v1/whoami', headers })).statusCode;
  };
  const good = await status(forger.token);
  t.equal(good, 200);
  return { app, ada, forger, status };
}

/** A token with any change is refused; the unchanged token is accepted. */
const expected = (token: string, forger: Forger) => (token === forger.token ? 200 : 401);

for (const alg of SigningAlgorithm.options) {
  t.test(`TOK-01 TOK-14 TOK-23 with ${alg} a changed token is refused`, async (t) => {
    const { forger, status } = await service(t, alg);
    const touched = fc.asyncProperty(mutation, async (change) => {
      const token = change(forger.token);
      equal(await status(token), expected(token, forger), token);
    });
    await fc.assert(touched, BOUNDS);
    t.equal(await status(forger.token), 200, 'the unchanged token is still valid');
  });

  t.test(
    `TOK-06 TOK-09 TOK-15 with ${alg} a token that the service would not issue is refused, even if its key signed it`,
    async (t) => {
      const { forger, status } = await service(t, alg);
      const refusedButOurs = async (token: string, same: boolean) =>
        equal(await status(token), same ? 200 : 401, token);
      const changes = fc.oneof(
        rephrased.map((change) => (json: Json) => change(JSON.stringify(json))),
        altered,
      );
      const claims = fc.asyncProperty(changes, async (change) => {
        const text = change(forger.claims);
        const same = text === JSON.stringify(forger.claims);
        await refusedButOurs(forger.make({ claims: text }), same);
      });
      await fc.assert(claims, BOUNDS);
      const header = fc.asyncProperty(changes, async (change) => {
        const text = change(forger.header);
        const same = text === JSON.stringify(forger.header);
        await refusedButOurs(forger.make({ header: text }), same);
      });
      await fc.assert(header, BOUNDS);
    },
  );
}

t.test(
  'REF-07 TOK-14 a changed refresh token renews nothing, and does not end the session',
  async (t) => {
    const { app, ada } = await service(t, 'ES256');
    const row = () => app.context.users.findById(ada.id);
    const before = await row();
    const touched = fc.asyncProperty(mutation, async (change) => {
      const refresh_token = change(ada.refresh_token);
      fc.pre(refresh_token !== ada.refresh_token && refresh_token.isWellFormed());
      for (const url of ['/v1/refresh', '/v1/logout']) {
        const answer = await app.app.inject({ method: 'POST', url, payload: { refresh_token } });
        ok(answer.statusCode === 204 || (answer.statusCode >= 400 && answer.statusCode < 500));
        ok(!answer.payload.includes('access_token'));
      }
    });
    await fc.assert(touched, BOUNDS);
    t.same(await row(), before, 'no row changed');
    t.equal((await app.refresh(ada.refresh_token)).statusCode, 200);
  },
);
