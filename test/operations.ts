import { readFileSync } from 'node:fs';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import type { Test } from 'tap';
import { parse } from 'yaml';
import type { TestApp } from './test-app.ts';

export interface Field {
  $ref?: string;
  type?: string;
  format?: string;
  pattern?: string;
  enum?: string[];
  examples?: unknown[];
  anyOf?: Field[];
}

export interface Operation {
  method: NonNullable<InjectOptions['method']>;
  /** As in the document: `/v1/users/{id}`. */
  path: string;
  /** Of its body; undefined: it takes none. */
  type: string | undefined;
  fields: Record<string, Field>;
  query: string[];
  bearer: boolean;
}

interface Declared {
  summary: string;
  tags: string[];
  security?: object[];
  parameters?: { in: string; name: string }[];
  responses?: object;
  requestBody?: { content: Record<string, { schema: { $ref: string } }> };
}

/** The committed document. */
export const document = parse(readFileSync('openapi.yaml', 'utf8')) as {
  paths: Record<string, Record<string, Declared>>;
  components: { schemas: Record<string, Field & { properties?: Record<string, Field> }> };
};

const named = ($ref: string) => document.components.schemas[$ref.split('/').at(-1) as string];

/** The fields of a body, each with what its own reference says. */
const fieldsOf = ($ref: string): Record<string, Field> =>
  Object.fromEntries(
    Object.entries(named($ref)?.properties ?? {}).map(([name, field]) => [
      name,
      field.$ref === undefined ? field : { ...named(field.$ref), ...field },
    ]),
  );

/** Every operation of the document. */
export const operations: Operation[] = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, { security = [], parameters = [], requestBody }]) => {
    const [content] = Object.entries(requestBody?.content ?? {});
    return {
      method: method.toUpperCase() as Operation['method'],
      path,
      type: content?.[0],
      fields: content ? fieldsOf(content[1].schema.$ref) : {},
      query: parameters.flatMap(({ in: place, name }) => (place === 'query' ? [name] : [])),
      bearer:
        security.length > 0 && security.every((scheme) => 'bearer' in scheme || 'dpop' in scheme),
    };
  }),
);

export const withBody = operations.filter(({ type }) => type !== undefined);

export const nameOf = ({ method, path }: Pick<Operation, 'method' | 'path'>) => `${method} ${path}`;

export const urlOf = ({ path }: Pick<Operation, 'path'>, parameter = 'x') =>
  path.replace(/\{\w+\}/, encodeURIComponent(parameter));

/** A value that the field takes. */
export function sample({ examples, enum: choices, anyOf, pattern, type }: Field): unknown {
  if (examples?.[0] !== undefined) return examples[0];
  if (choices?.[0] !== undefined) return choices[0];
  if (anyOf?.[0] !== undefined) return sample(anyOf[0]);
  return type === 'array' ? [] : (pattern ?? 'harmless');
}

const isSpare = (name: string, fields: Record<string, Field>): boolean =>
  name === 'recovery_code' ||
  (name === 'passkey' && 'code' in fields) ||
  (name === 'code' && 'passkey' in fields && 'password' in fields);

/** The body of an operation, in its own form. Of several proofs, of which a request has one, it has the first. */
export function payloadOf({ type, fields }: Operation, values: Record<string, unknown>): string {
  const body = Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]) =>
      isSpare(name, fields) && !(name in values) ? [] : [[name, sample(field)]],
    ),
  );
  const filled = { ...body, ...values };
  if (type === 'application/json') return JSON.stringify(filled);
  return new URLSearchParams(filled as Record<string, string>).toString();
}

const LEAKS =
  /FST_|FAST_JWT|SQLITE_|node_modules|\bat .*\.[jt]s|select .* from|insert into|kysely|Error: /i;

const SECURITY_HEADERS: Record<string, RegExp> = {
  'strict-transport-security': /max-age=\d{8}; includeSubDomains/,
  'x-content-type-options': /^nosniff$/,
  'referrer-policy': /^no-referrer$/,
  'content-security-policy': /^default-src 'none';.*frame-ancestors 'none'/,
};

/** What is wrong with the form of an error's body, if anything. */
function faultOfError({ headers, statusCode, json }: LightMyRequestResponse): string | undefined {
  if (headers['cache-control'] !== 'no-store') return 'it may be kept';
  const body = json<Record<string, unknown>>();
  const type = String(headers['content-type']);
  // What no route hears of answers as a problem, also below /oauth.
  if (type.startsWith('application/json'))
    return /^[a-z_]+$/.test(String(body['error'])) &&
      /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/.test(String(body['error_description']))
      ? undefined
      : 'it is no error of RFC 6749';
  if (!type.startsWith('application/problem+json')) return `it is ${type}`;
  const { status, title, code } = body;
  return status === statusCode && typeof title === 'string' && body['type'] === `/problems/${code}`
    ? undefined
    : 'it is no problem';
}

/** What is wrong with an answer to something hostile, and with what was logged of it. */
function faultsOf(
  { method = 'GET' }: InjectOptions,
  answer: LightMyRequestResponse,
  logged: Record<string, unknown>[],
): string[] {
  const { statusCode, headers, payload } = answer;
  const lines = logged.filter(({ msg }) => msg === 'request');
  const isError = statusCode >= 400 && method !== 'HEAD';
  return [
    statusCode >= 500 && 'a fault',
    ...Object.entries(SECURITY_HEADERS).map(
      ([name, value]) => !value.test(String(headers[name])) && `${name}: ${headers[name]}`,
    ),
    ('server' in headers || 'x-powered-by' in headers) && 'it says what serves it',
    LEAKS.test(payload.slice(0, 2_000)) && `a leak: ${payload}`,
    isError && faultOfError(answer),
    lines.length !== 1 && `${lines.length} lines of log`,
    lines[0]?.['status'] !== statusCode && 'the log has another status',
    lines[0]?.['method'] !== method && 'the log has another method',
    logged.some(({ level }) => Number(level) >= 50) && 'an error is logged',
  ].filter((fault) => typeof fault === 'string');
}

/** Sends what is hostile, and fails the test if the answer lacks what every answer to such a request has. */
export async function hostile(
  t: Test,
  { app, logs }: Pick<TestApp, 'app' | 'logs'>,
  request: InjectOptions,
  what: string,
): Promise<LightMyRequestResponse> {
  const before = logs.length;
  const answer = await app.inject(request);
  // There are thousands of these, and an assertion for each point costs more than the request.
  const faults = faultsOf(request, answer, logs.slice(before));
  if (faults.length > 0) t.fail(`${what}: ${answer.statusCode}, ${faults.join(', ')}`);
  return answer;
}
