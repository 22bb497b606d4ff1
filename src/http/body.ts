import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { visit } from 'jsonc-parser';
import { Refusal } from '../rules/refusal.ts';

/** Bytes. */
export const BODY_LIMIT = 16 * 1_024;

const MAX_DEPTH = 16;
const JSON_UTF8 = /^application\/json *(; *charset="?utf-8"? *)?$/i;
const POLLUTING = new Set(['__proto__', 'constructor', 'prototype']);

const malformed = (path: string, message: string) =>
  new Refusal('malformed_json', { errors: [{ path, message }] });

/** JSON Pointer (RFC 6901). */
export const pointer = (segments: readonly PropertyKey[]): string =>
  segments
    .map(
      (segment) => `/${String(segment).slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')}`,
    )
    .join('');

/**
 * Refuses what `JSON.parse` accepts silently: duplicate members, because another parser may keep the other one;
 * names that can pollute prototypes; nesting deeper than any route needs.
 */
function refuseTraps(text: string): void {
  const members: Set<string>[] = [];
  const enter = (pathSupplier: () => readonly PropertyKey[]) => {
    if (members.push(new Set()) > MAX_DEPTH)
      throw malformed(pointer(pathSupplier().slice(0, 3)), 'is nested too deeply');
  };
  const leave = () => {
    members.pop();
  };
  visit(text, {
    onObjectBegin: (_offset, _length, _line, _character, pathSupplier) => enter(pathSupplier),
    onArrayBegin: (_offset, _length, _line, _character, pathSupplier) => enter(pathSupplier),
    onObjectEnd: leave,
    onArrayEnd: leave,
    onObjectProperty: (name, _offset, _length, _line, _character, pathSupplier) => {
      const path = () => pointer([...pathSupplier(), name]);
      const seen = members.at(-1) as Set<string>;
      if (seen.has(name)) throw malformed(path(), 'appears twice');
      if (POLLUTING.has(name)) throw malformed(path(), 'is a reserved name');
      seen.add(name);
    },
  });
}

function parseStrictly(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw malformed('', 'is not valid UTF-8');
  const text = bytes.toString();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed('', 'is not valid JSON');
  }
  refuseTraps(text);
  return value;
}

/** Refuses other content types, and any content coding: a small compressed body could expand to a huge one. */
export function refuseType({ headers }: FastifyRequest, type: RegExp): void {
  if (headers['content-encoding'] !== undefined || !type.test(String(headers['content-type'])))
    throw new Refusal('unsupported_media_type');
}

/** Accepts JSON in UTF-8 only: another site's form cannot send it without a CORS preflight. */
export function registerBodyParser(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, bytes: Buffer) => {
      refuseType(request, JSON_UTF8);
      return bytes.length === 0 ? undefined : parseStrictly(bytes);
    },
  );
}
