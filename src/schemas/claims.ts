import { z } from 'zod';
import { Transport } from './user.ts';

const NumericDate = z.int().min(0).max(253_402_300_799);
const Text = z.string().min(1);
/** It goes into a header of `/v1/whoami` as it is. */
const Visible = z.string().regex(/^[\x21-\x2b\x2d-\x7e]+$/);

/** Seconds from `iat` to `exp`. No setting: it is also how long every other service may trust a token. */
export const ACCESS_LIFE = 900;

/** The claims of an access token (RFC 9068 section 2.2). Strict: a claim that we do not issue is not ours. */
export const AccessClaims = z
  .strictObject({
    iss: Text,
    aud: Text,
    sub: Visible.describe('User id.'),
    client_id: Text,
    iat: NumericDate,
    nbf: NumericDate.optional(),
    exp: NumericDate.describe('`iat` + 900.'),
    jti: Text,
    sid: Visible.describe('Session id.'),
    ver: z.int().min(0).describe('Goes up when the access tokens of the user are revoked.'),
    roles: z.array(Visible),
    amr: z.array(Text).describe('How the user signed in (RFC 8176).'),
    auth_time: NumericDate,
  })
  .meta({
    id: 'AccessClaims',
    description: 'The verified claims of the access token.',
    examples: [
      {
        iss: 'https://auth.example.com',
        aud: 'https://api.example.com',
        sub: '01990d6e-7c3f-7a51-9c6b-0c1d2e3f4a5b',
        client_id: 'latchkey',
        iat: 1795456800,
        exp: 1795457700,
        jti: 'Zr5oDxw0nXw8o7m3yq1eVA',
        sid: 'q83vEjRWeJCrze8SNFZ4kA',
        ver: 0,
        roles: [],
        amr: ['pwd'],
        auth_time: 1795456800,
      },
    ],
  });
export type AccessClaims = z.infer<typeof AccessClaims>;

const Own = { iss: Text, aud: Text, sub: Text, iat: NumericDate, exp: NumericDate };

/** The claims of the tokens that only this service reads, by kind. */
export const OwnClaims = {
  refresh: z.strictObject({
    ...Own,
    sid: Text,
    gen: z.int().min(0),
    /** The token version of the row. */
    ver: z.int().min(0),
    dev: Text,
  }),
  device: z.strictObject({ ...Own, jti: Text }),
  /** `sub`: the address as it was typed. There is no user yet. */
  'sign-up': z.strictObject({ ...Own, jti: Text }),
  /** `was`: the state of the address that it replaces, and of the tokens; `sid`: the session that asked, which goes on. */
  email: z.strictObject({ ...Own, jti: Text, email: Text, was: Text, sid: z.string() }),
  /** `was`: the password hash that it replaces, and the address that it went to. */
  reset: z.strictObject({ ...Own, jti: Text, was: Text }),
  /** The password was right; `was`: its hash. */
  mfa: z.strictObject({
    ...Own,
    jti: Text,
    ver: z.int().min(0),
    was: Text,
    /** The device, if its token proved it. */
    dev: Text.optional(),
    transport: Transport,
  }),
};
export type OwnKind = keyof typeof OwnClaims;
