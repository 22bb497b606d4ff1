import { setImmediate as turn } from 'node:timers/promises';
import type { Revocation } from './revocation-log.ts';

/** Entries that are handled in one turn of the event loop: some milliseconds. */
const SLICE = 2_000;

function* slices<Entry>(entries: Iterable<Entry>): Generator<Entry[]> {
  let slice: Entry[] = [];
  for (const entry of entries) {
    slice.push(entry);
    if (slice.length < SLICE) continue;
    yield slice;
    slice = [];
  }
  if (slice.length > 0) yield slice;
}

/** The entries as the members of a JSON document, in pieces. Requests are served between two pieces. */
async function* membersOf(revocations: Revocation[]): AsyncGenerator<string> {
  const users = new Map<string, number>();
  let comma = '';
  yield ',"sessions":[';
  for (const slice of slices(revocations)) {
    const sessions: string[] = [];
    for (const each of slice) {
      if ('sid' in each) sessions.push(JSON.stringify(each.sid));
      // Of two entries for a user the later one has the higher version.
      else users.set(each.sub, each.ver);
    }
    if (sessions.length > 0) {
      yield comma + sessions.join();
      comma = ',';
    }
    await turn();
  }
  comma = '';
  yield '],"users":{';
  for (const slice of slices(users)) {
    yield comma + slice.map(([sub, ver]) => `${JSON.stringify(sub)}:${ver}`).join();
    comma = ',';
    await turn();
  }
  yield '}}';
}

/**
 * The claims and the revocations as base64url. In pieces, because the whole list can have 100,000 entries: made at once, it
 * would hold up all requests for most of a second.
 */
export async function documentBytes(claims: object, revocations: Revocation[]): Promise<Buffer> {
  const encoded: Buffer[] = [];
  let rest = Buffer.from(JSON.stringify(claims).slice(0, -1));
  for await (const piece of membersOf(revocations)) {
    const bytes = Buffer.concat([rest, Buffer.from(piece)]);
    const end = bytes.length - (bytes.length % 3);
    encoded.push(Buffer.from(bytes.toString('base64url', 0, end)));
    rest = bytes.subarray(end);
  }
  return Buffer.concat([...encoded, Buffer.from(rest.toString('base64url'))]);
}
