import { z } from 'zod';

/** Linux opens no longer path. */
const MAX_LENGTH = 4_096;

/** What no path has, and what is in files has: lines, PEM, JSON. Or the scheme of a URL (a drive has one letter). */
const CONTENT = /\p{Cc}|-----BEGIN|[{}"]|^[a-z][a-z0-9+.-]+:/iu;

export const isFileName = (text: string): boolean =>
  text.length > 0 && text.length <= MAX_LENGTH && !CONTENT.test(text);

/** The name of a file. An operator who gives its content is told so before anything is made under that name. */
export const FileName = z
  .string()
  .refine(isFileName, { error: 'must be the name of a file, not what is in it' });
