import { z } from 'zod';

/** RFC 3339, UTC. */
export const Time = z.iso.datetime().meta({ examples: ['2026-11-23T18:00:00.000Z'] });

const ADDRESS =
  /^[^\s@,;:<>()[\]\\"\p{Cc}\p{Cf}\p{Cs}]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+\p{L}[\p{L}\p{N}-]{0,61}[\p{L}\p{N}]$/u;

/** RFC 5322 section 3.2.3: a dot in the local part stands between two characters that are not dots. */
const EMPTY_ATOM = /^\.|\.\.|\.@/;

/**
 * The address of an account. RFC 5321 section 4.5.3.1: at most 64 octets before the @, and 254 in all. Exactly one
 * address, so no comma and no line break.
 */
export const Email = z
  .string()
  .trim()
  .max(254)
  // Not a regex: it would need the u flag, which a pattern in OpenAPI cannot state.
  .refine((text) => ADDRESS.test(text), { error: 'must be an email address', abort: true })
  .meta({ format: 'email', examples: ['ada@example.com'] });

/**
 * An address for a new account, or the new address of one. Refuses an empty atom, which mail servers may refuse;
 * accounts that have such an address can still sign in. Checked in NFKC, the form in which addresses are looked up,
 * because NFKC turns some characters into two dots.
 */
export const NewEmail = Email.refine((text) => !EMPTY_ATOM.test(text.normalize('NFKC')), {
  error: 'must not have a dot at the start or end of the part before the @, or two dots in a row',
});

/** A lone surrogate would become U+FFFD before the text is hashed, so different passwords would match. */
const wellFormed = (text: string) => text.isWellFormed();

/** Any password that a request may contain. `actions/accounts/new-password.ts` checks whether a new one is strong. */
export const Password = z
  .string()
  .min(1)
  .max(1024)
  .refine(wellFormed, { error: 'must be well-formed Unicode text' })
  .meta({ examples: ['correct horse battery staple'], format: 'password' });

/** The password of the caller, who is signed in. */
export const CurrentPassword = z.strictObject({ password: Password }).meta({
  id: 'CurrentPassword',
  description: 'Your password, to prove that it is you.',
  examples: [{ password: 'correct horse battery staple' }],
});

const LINE_END = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/**
 * Characters that nobody sees: some reverse the text around them (U+202E), so a name could pose as another. Persian,
 * Indic scripts and emoji need the two joiners (U+200C, U+200D).
 */
const HIDDEN = /(?![\u200c\u200d])[\p{Cf}\p{Co}\p{Cn}]/u;

export const Name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  // Not regexes: they would need the u flag, which a pattern in OpenAPI cannot state.
  .refine((text) => !LINE_END.test(text), { error: 'must be a single line of text' })
  .refine((text) => !HIDDEN.test(text), {
    error: 'must not have invisible characters or ones that change the direction of text',
  })
  .refine(wellFormed, { error: 'must be well-formed Unicode text' })
  .meta({ examples: ['Ada Lovelace'] });

/** A name from elsewhere, without what `Name` refuses: a line end becomes a space. May be empty. */
export const cleanName = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/(?![\u200c\u200d])\p{C}/gu, '')
    .trim();

/** Any token that a request may contain: at most 4 KB, not parsed here. */
export const Token = z.string().min(1).max(4096);

/** RFC 8707 section 2. `actions/tokens/audience.ts` decides whether it is one of this deployment. */
export const Resource = z
  .string()
  .max(1_000)
  .describe(
    'Whom the access token is for (RFC 8707): one of `AUDIENCES`. Without it, the token is for this service.',
  )
  .meta({ examples: ['https://api.example.com'] });

/** A six-digit TOTP code. A string, because it may start with a zero. */
export const Code = z
  .string()
  .regex(/^[0-9]{6}$/, { error: 'must be six digits' })
  .meta({ examples: ['492039'] });

/** A code by mail. A string, because it may start with a zero. */
export const MailCode = z
  .string()
  .regex(/^[0-9]{8}$/, { error: 'must be eight digits' })
  .meta({ examples: ['40817263'] });

export const RecoveryCode = z
  .string()
  .max(40)
  .regex(/^(?:[A-Za-z2-7][\s-]?){16}$/, { error: 'must be a recovery code' })
  .meta({ examples: ['K3QW-7ZP2-MNB4-XA5T'] });

/** A role goes into tokens and into a header. */
const Role = z.string().regex(/^[a-z][a-z0-9_:-]{0,31}$/, {
  error: 'must have 1 to 32 characters of a-z, 0-9, _, : and -, and start with a letter',
});

/** An access token must stay below 1 KB, so all roles together may have 200 characters. */
export const Roles = z
  .array(Role)
  .max(16)
  .refine((roles) => new Set(roles).size === roles.length, {
    error: 'must not contain a role twice',
  })
  .refine((roles) => roles.join().length <= 200, {
    error: 'must have at most 200 characters in total',
  })
  .meta({ examples: [['admin']] });
