import type { Contract, Endpoint, JsonSchema } from './contract.ts';
import type { Asked } from './exchange.ts';

/** Numbers from 0 to below 1 that a seed repeats (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Random = () => number;

const pick = <Item>(items: readonly Item[], random: Random): Item =>
  items[Math.floor(random() * items.length)] as Item;

/** What breaks careless code: encodings, injections, prototypes, numbers at their ends. */
const HOSTILE: readonly unknown[] = [
  '',
  ' ',
  '\u0000',
  '\ud800',
  '\u202e\u0130\u00df',
  'a'.repeat(5_000),
  "' OR 1=1 --",
  '<script>alert(1)</script>',
  '../../etc/passwd',
  '%00%2f%2e',
  null,
  true,
  -1,
  1e308,
  2 ** 53,
  [],
  [[[[[[]]]]]],
  {},
  { $gt: '' },
  { toString: 1 },
];

/** A value of the form that the schema describes. Belongs to nobody: addresses are below `.invalid` (RFC 6761). */
function sampleOf(
  { type, format, enum: choices, anyOf, minLength = 1 }: JsonSchema,
  random: Random,
): unknown {
  if (anyOf) return sampleOf(pick(anyOf, random), random);
  if (choices) return pick(choices, random);
  if (format === 'email') return `${Math.floor(random() * 2 ** 32)}@check.invalid`;
  if (type === 'array') return [];
  return Array.from({ length: minLength + 8 }, () => pick([...'abcXYZ019-_'], random)).join('');
}

type Body = Record<string, unknown>;

function bodyOf({ properties = {}, required = [] }: JsonSchema, random: Random): Body {
  const names = Object.keys(properties).filter((name) => required.includes(name) || random() < 0.5);
  return Object.fromEntries(
    names.map((name) => [name, sampleOf(properties[name] as JsonSchema, random)]),
  );
}

/** One member replaced, lost or added. */
function spoiled(body: Body, random: Random): Body {
  const name = pick([...Object.keys(body), 'roles', 'constructor'], random);
  const { [name]: _gone, ...rest } = body;
  return random() < 0.2 ? rest : { ...rest, [name]: pick(HOSTILE, random) };
}

/** Bodies that every JSON endpoint refuses before it looks at a value. */
const REFUSED: readonly Asked[] = [
  { body: '{' },
  { body: '{"email":"\\ud800"' },
  { body: '[]' },
  { body: '"text"' },
  { body: '{"unknown_member":1}' },
  { body: '{"email":1,"email":2}' },
  { body: '{"__proto__":{"roles":["admin"]}}' },
  { body: '{}', headers: { 'content-type': 'text/plain' } },
  { body: '{}', headers: { 'content-encoding': 'gzip' } },
];

/** They create users, send mail and count guesses: they get only what they refuse. */
const WITH_EFFECT = new Set(['register', 'forgotPassword', 'login', 'sendMailCode']);

export interface Generated extends Asked {
  method: string;
  path: string;
  endpoint: Endpoint;
}

/** A form and a query have texts alone. */
const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);

const textsIn = (body: Body): Record<string, string> =>
  Object.fromEntries(Object.entries(body).map(([name, value]) => [name, textOf(value)]));

const hostileText = (random: Random): string =>
  textOf(pick(HOSTILE, random)).slice(0, 50).toWellFormed();

const isForm = ({ requestBody }: Endpoint): boolean =>
  requestBody !== undefined && !('application/json' in requestBody.content);

function sentBody(endpoint: Endpoint, random: Random): Asked {
  const [schema] = Object.values(endpoint.requestBody?.content ?? {}).map((media) => media.schema);
  if (schema === undefined) return {};
  if (WITH_EFFECT.has(endpoint.operationId) || random() < 0.2) return pick(REFUSED, random);
  const body = bodyOf(schema, random);
  const sent = random() < 0.5 ? body : spoiled(body, random);
  if (isForm(endpoint)) return { body: String(new URLSearchParams(textsIn(sent))) };
  return { body: JSON.stringify(sent) };
}

const IDS: readonly string[] = [
  '01990d6e-7c3f-7a51-9c6b-0c1d2e3f4a5b',
  'x',
  '-1',
  '%00',
  '%2e%2e%2f',
  encodeURIComponent("' OR 1=1"),
  'a'.repeat(300),
];

const TOKENS: readonly string[] = ['Bearer', 'Bearer x', 'Bearer e30.e30.', 'Basic eDp4', 'x'];

/**
 * The next request. It changes nothing: with `own`, the header of an account, it only reads; without, endpoints that
 * need a token get none that is valid, and those that anyone may call with an effect get what they refuse.
 */
export function generated(
  { endpoints }: Contract,
  { random, own }: { random: Random; own: Record<string, string> },
): Generated {
  const endpoint = pick(endpoints, random);
  const { method } = endpoint;
  const path = endpoint.path.replace(/\{\w+\}/, () => pick(IDS, random));
  const query = random() < 0.1 ? `?limit=${encodeURIComponent(hostileText(random))}` : '';
  const body = sentBody(endpoint, random);
  const type = isForm(endpoint) ? 'application/x-www-form-urlencoded' : 'application/json';
  const foreign = random() < 0.5 ? { authorization: pick(TOKENS, random) } : {};
  return {
    ...body,
    method,
    path: path + query,
    endpoint,
    headers: {
      ...(body.body !== undefined && { 'content-type': type }),
      ...(method === 'GET' && random() < 0.5 ? own : foreign),
      ...body.headers,
    },
  };
}
