import { z } from 'zod';

/** RFC 3339, UTC. */
export const Time = z.iso.datetime().meta({ examples: ['2026-11-23T18:00:00.000Z'] });

const ADDRESS =
  /^[^\s@,;:<>()[\]\\"\p{Cc}\p{Cf}]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+\p{L}[\p{L}\p{N}-]{0,61}[\p{L}\p{N}]$/u;

/** RFC 5321 section 4.5.3.1: 64 octets before the @, 254 in all. One address: no comma, no line break. */
export const Email = z
  .string()
  .trim()
  .max(254)
  // No pattern in the document: not every reader of it takes the flag that \p needs.
  .refine((text) => ADDRESS.test(text), { error: 'must be one e-mail address' })
  .meta({ format: 'email', examples: ['ada@example.com'] });

/** Only well-formed text: a lone surrogate would become U+FFFD on its way into a hash. */
const wellFormed = (text: string) => text.isWellFormed();

/** A password as it is sent. Whether it is good enough to keep is `domain/passwords.ts`. */
export const Password = z
  .string()
  .min(1)
  .max(1024)
  .refine(wellFormed, { error: 'must be well-formed Unicode text' })
  .meta({ examples: ['correct horse battery staple'], format: 'password' });

export const Name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .refine((text) => /^[^\p{Cc}\u2028\u2029]*$/u.test(text), { error: 'must be one line of text' })
  .refine(wellFormed, { error: 'must be well-formed Unicode text' })
  .meta({ examples: ['Ada Lovelace'] });

/** A token as it is sent: opaque, at most 4 KB. */
export const Token = z.string().min(1).max(4096);
