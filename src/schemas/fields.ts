import { z } from 'zod';

/** RFC 3339, UTC. */
export const Time = z.iso.datetime().meta({ examples: ['2026-11-23T18:00:00.000Z'] });

const ADDRESS =
  /^[^\s@,;:<>()[\]\\"\p{Cc}\p{Cf}\p{Cs}]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+\p{L}[\p{L}\p{N}-]{0,61}[\p{L}\p{N}]$/u;

/** RFC 5322 section 3.2.3: between, before and after the dots of a local part stands something. */
const EMPTY_ATOM = /^\.|\.\.|\.@/;

/**
 * An address as it is looked up. RFC 5321 section 4.5.3.1: 64 octets before the @, 254 in all. One address: no
 * comma, no line break.
 */
export const Email = z
  .string()
  .trim()
  .max(254)
  // No pattern in the document: not every reader of it takes the flag that \p needs.
  .refine((text) => ADDRESS.test(text), { error: 'must be one e-mail address', abort: true })
  .meta({ format: 'email', examples: ['ada@example.com'] });

/**
 * An address that an account is to get: no mail server has to take one with an empty atom. Whoever has one gets in
 * all the same. NFKC, as it is looked up in that form, in which a character may become two dots.
 */
export const NewEmail = Email.refine((text) => !EMPTY_ATOM.test(text.normalize('NFKC')), {
  error: 'must not have a dot first, last or twice in a row before the @',
});

/** Only well-formed text: a lone surrogate would become U+FFFD on its way into a hash. */
const wellFormed = (text: string) => text.isWellFormed();

/** A password as it is sent. Whether it is good enough to keep is `parts/passwords/passwords.ts`. */
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

/** A six-digit TOTP code: text, as it may start with a zero. */
export const Code = z
  .string()
  .regex(/^[0-9]{6}$/, { error: 'must be six digits' })
  .meta({ examples: ['492039'] });

export const RecoveryCode = z
  .string()
  .max(40)
  .regex(/^(?:[A-Za-z2-7][\s-]?){16}$/, { error: 'must be a recovery code' })
  .meta({ examples: ['K3QW-7ZP2-MNB4-XA5T'] });

/** A name that goes into a token and a header. */
const Role = z.string().regex(/^[a-z][a-z0-9_:-]{0,31}$/, {
  error: 'must be 1 to 32 of a-z, 0-9, _, :, -, and start with a letter',
});

/** A token must stay below 1 KB, so roles together may have 200 characters. */
export const Roles = z
  .array(Role)
  .max(16)
  .refine((roles) => new Set(roles).size === roles.length, { error: 'must not name a role twice' })
  .refine((roles) => roles.join().length <= 200, {
    error: 'must have 200 characters at most together',
  })
  .meta({ examples: [['admin']] });
