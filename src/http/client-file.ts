import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { textFile } from './text-file.ts';

const ROOM = new URL('../clients/', import.meta.url);

/** A file of the browser module, read once. `content` declares it in the document. */
export function clientFile(
  name:
    | 'client.js'
    | 'client.d.ts'
    | 'client-passkeys.js'
    | 'client-passkeys.d.ts'
    | 'client-dpop.js'
    | 'client-dpop.d.ts',
  type: string,
) {
  const [mediaType] = type.split(';') as [string];
  return {
    content: { [mediaType]: { schema: z.string() } },
    answer: textFile(readFileSync(new URL(name, ROOM), 'utf8'), type),
  };
}
