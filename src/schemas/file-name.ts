import { z } from 'zod';

/** The longest path that Linux opens. */
const MAX_LENGTH = 4_096;

/** What file contents have and paths do not: line breaks, PEM, JSON. Also the scheme of a URL (a drive letter is shorter). */
const CONTENT = /\p{Cc}|-----BEGIN|[{}"]|^[a-z][a-z0-9+.-]+:/iu;

export const isFileName = (text: string): boolean =>
  text.length > 0 && text.length <= MAX_LENGTH && !CONTENT.test(text);

/** The name of a file. Refuses the content of a file, before a file with that name is created. */
export const FileName = z
  .string()
  .refine(isFileName, { error: 'must be the name of a file, not its content' });
