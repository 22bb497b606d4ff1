import { z } from 'zod';
import { type CustomClaims, faultsOfClaims } from './custom-claims.ts';
import { Confirmation } from './dpop.ts';
import { Transport } from './user.ts';

const NumericDate = z.int().min(0).max(253_402_300_799);
const Text = z.string().min(1);
/** Safe to put into a header of `/v1/whoami` unchanged. */
const Visible = z.string().regex(/^[\x21-\x2b\x2d-\x7e]+$/);

/** Seconds from `iat` to `exp`. Not configurable: other services rely on a token being valid no longer. */
export const ACCESS_LIFE = 900;

/** The claims of an access token that are not custom claims (RFC 9068 section 2.2). */
const Issued = z.object({
  iss: Text,
  aud: Text,
  sub: Visible.describe('User ID.'),
  client_id: Text,
  iat: NumericDate,
  nbf: NumericDate.optional(),
  exp: NumericDate.describe('`iat` + 900.'),
  jti: Text,
  sid: Visible.describe('Session ID.'),
  ver: z.int().min(0).describe('Increases when the access tokens of the user are revoked.'),
  roles: z.array(Visible),
  amr: z.array(Text).describe('How the user signed in (RFC 8176).'),
  auth_time: NumericDate,
  cnf: Confirmation.optional(),
  scope: Text.optional().describe(
    'The roles, separated by spaces. Only in a token of a service account, if it fits into 1 KB.',
  ),
});
export type AccessClaims = z.infer<typeof Issued>;

const ISSUED = new Set(Object.keys(Issued.shape));

/** The custom claims among all claims of an access token. */
export const customClaimsIn = (claims: AccessClaims): CustomClaims =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => !ISSUED.has(name)));

/** All claims of an access token. Refuses a claim that neither this service nor an administrator can have set. */
export const AccessClaims = Issued.catchall(z.unknown())
  .refine(({ scope, roles, client_id, sub }) =>
    scope === undefined ? true : client_id === sub && scope === roles.join(' '),
  )
  .refine(
    (claims) =>
      Object.keys(claims).every((name) => ISSUED.has(name)) ||
      faultsOfClaims(customClaimsIn(claims)).length === 0,
  )
  .meta({
    id: 'AccessClaims',
    description: 'The verified claims of the access token, with the custom claims of the account.',
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
const Own = { iss: Text, aud: Text, sub: Text, iat: NumericDate, exp: NumericDate };

/** The claims of the tokens that only this service reads, by kind of token. */
export const OwnClaims = {
  refresh: z.strictObject({
    ...Own,
    sid: Text,
    gen: z.int().min(0),
    /** The token version in the row when the token was issued. */
    ver: z.int().min(0),
    dev: Text,
  }),
  device: z.strictObject({ ...Own, jti: Text }),
  /** `sub`: the address as it was typed, because there is no user yet. */
  'sign-up': z.strictObject({ ...Own, jti: Text }),
  /** `was`: the state of the present address and of the token version. `sid`: the session that asked, which does not end. */
  email: z.strictObject({ ...Own, jti: Text, email: Text, was: Text, sid: z.string() }),
  /** Deletes an account that the holder of its mailbox did not make. `email`: the address that it had. */
  'not-me': z.strictObject({ ...Own, jti: Text, email: Text }),
  /** `was`: the state of the password and of the address. The link stops working when one of them changes. */
  reset: z.strictObject({ ...Own, jti: Text, was: Text }),
  /** Issued after the first step. `was`: the state of the password. */
  mfa: z.strictObject({
    ...Own,
    jti: Text,
    ver: z.int().min(0),
    was: Text,
    /** The device, if the sign-in had a valid device token. */
    dev: Text.optional(),
    transport: Transport,
    /** How the first step was proven. Without it, by the password. */
    amr: z.array(Text).optional(),
    /** The resource that the sign-in asked for: the `aud` of the access token. */
    resource: Text.optional(),
    /** The key of the DPoP proof of the first step: the second needs one of the same key. */
    jkt: Text.optional(),
    /** The first step asked for Bearer access tokens. */
    is_bearer: z.boolean().optional(),
  }),
  /** The challenge of an assertion. `sub`: a fingerprint of the address that signs in, or `ANYONE`. */
  passkey: z.strictObject({ ...Own, jti: Text }),
  /** The challenge of a new passkey. `sid`: the session that asked. */
  'new-passkey': z.strictObject({ ...Own, jti: Text, sid: Text }),
  /** The half of a code by mail that its browser holds. `sub`: the address as it was typed, which may have no account. */
  'mail-code': z.strictObject({ ...Own, jti: Text }),
  /** What a browser keeps while its user signs in at an outside provider. `sub`: the slot. `jti`: the state (RFC 6749 section 10.12). */
  provider: z.strictObject({
    ...Own,
    jti: Text,
    nonce: Text,
    /** RFC 7636. */
    verifier: Text,
    /** The URL where the browser goes in the end. */
    to: Text,
    /** The device token: its cookie does not come with the request from another site. */
    device: Text.optional(),
    /** The session that links the account at the provider; without it, a sign-in. */
    link: z.strictObject({ sub: Text, sid: Text, ver: z.int().min(0) }).optional(),
  }),
  /** The nonce of an ID token that an app will send is its `jti`. `sub`: the slot. */
  nonce: z.strictObject({ ...Own, jti: Text }),
};
export type OwnKind = keyof typeof OwnClaims;
