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
 * Refuses what `JSON.parse` takes in silence: a member that is there twice, where another reader may see the
 * other one; names that reach into prototypes; a depth that no route needs.
 */
function refuseTraps(text: string): void {
  const members: Set<string>[] = [];
  const enter = (pathSupplier: () => readonly PropertyKey[]) => {
    if (members.push(new Set()) > MAX_DEPTH)
      throw malformed(pointer(pathSupplier().slice(0, 3)), 'is nested too deep');
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
      if (seen.has(name)) throw malformed(path(), 'is there twice');
      if (POLLUTING.has(name)) throw malformed(path(), 'is not a name that is taken');
      seen.add(name);
    },
  });
}

function parseStrictly(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw malformed('', 'is not UTF-8');
  const text = bytes.toString();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed('', 'is not JSON');
  }
  refuseTraps(text);
  return value;
}

/** Refuses a type that is not the one, and every content coding: what is small on the wire must stay small. */
export function refuseType({ headers }: FastifyRequest, type: RegExp): void {
  if (headers['content-encoding'] !== undefined || !type.test(String(headers['content-type'])))
    throw new Refusal('unsupported_media_type');
}

/** JSON in UTF-8 and nothing else: a form of another site cannot send it without being asked first. */
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
