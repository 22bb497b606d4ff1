import { readFileSync } from 'node:fs';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import type { Test } from 'tap';
import { parse } from 'yaml';
import type { TestApp } from './test-app.ts';

export interface Field {
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
  security?: object[];
  parameters?: { in: string; name: string }[];
  requestBody?: { content: Record<string, { schema: { properties?: Record<string, Field> } }> };
}

const document = parse(readFileSync('openapi.yaml', 'utf8')) as {
  paths: Record<string, Record<string, Declared>>;
};

/** Every operation of the document. */
export const operations: Operation[] = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, { security = [], parameters = [], requestBody }]) => {
    const [content] = Object.entries(requestBody?.content ?? {});
    return {
      method: method.toUpperCase() as Operation['method'],
      path,
      type: content?.[0],
      fields: content?.[1].schema.properties ?? {},
      query: parameters.flatMap(({ in: place, name }) => (place === 'query' ? [name] : [])),
      bearer: security.some((scheme) => 'bearer' in scheme) && security.length === 1,
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

/** The body of an operation, in its own form. Of `code` and `recovery_code` it has one. */
export function payloadOf({ type, fields }: Operation, values: Record<string, unknown>): string {
  const body = Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]) =>
      name === 'recovery_code' && !('recovery_code' in values) ? [] : [[name, sample(field)]],
    ),
  );
  const filled = { ...body, ...values };
  if (type === 'application/json') return JSON.stringify(filled);
  return new URLSearchParams(filled as Record<string, string>).toString();
}

const LEAKS =
  /FST_|FAST_JWT|SQLITE_|node_modules|\bat .*\.[jt]s|select .* from|insert into|kysely|Error:/i;

const SECURITY_HEADERS = {
  'strict-transport-security': /max-age=\d{8}; includeSubDomains/,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': /^default-src 'none';.*frame-ancestors 'none'/,
};

/** Sends what is hostile, and asserts what every answer to such a request has. */
export async function hostile(
  t: Test,
  { app, logs }: Pick<TestApp, 'app' | 'logs'>,
  request: InjectOptions,
  what: string,
): Promise<LightMyRequestResponse> {
  const before = logs.length;
  const answer = await app.inject(request);
  const { statusCode, headers, payload } = answer;
  t.ok(statusCode < 500, `${what}: ${statusCode}`);
  t.match(headers, SECURITY_HEADERS, what);
  t.notOk('server' in headers || 'x-powered-by' in headers);
  t.notMatch(payload.slice(0, 2_000), LEAKS, what);
  if (statusCode >= 400 && request.method !== 'HEAD') {
    t.equal(headers['cache-control'], 'no-store', what);
    const body = answer.json();
    // What no route hears of answers as a problem, also below /oauth.
    if (/^application\/json/.test(String(headers['content-type'])))
      t.match(body, { error: /^[a-z_]+$/, error_description: /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/ });
    else {
      t.match(headers['content-type'], /^application\/problem\+json/, what);
      t.match(body, { status: statusCode, type: `/problems/${body.code}`, title: String });
    }
  }
  const lines = logs.slice(before).filter(({ msg }) => msg === 'request');
  t.match(lines, [{ status: statusCode, method: request.method ?? 'GET' }], `${what}: one line`);
  t.equal(lines.length, 1);
  t.same(
    logs.slice(before).filter(({ level }) => Number(level) >= 50),
    [],
    what,
  );
  return answer;
}
