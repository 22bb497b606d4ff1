import { z } from 'zod';

const seconds = z.int().min(0).max(253_402_300_799);

/** A private key of the key set (RFC 7517). `nbf` and `exp` decide whether it signs, verifies or is out of use. */
export const PrivateJwk = z.looseObject({
  kty: z.enum(['EC', 'RSA', 'OKP', 'oct']),
  use: z.literal('sig').optional(),
  alg: z.enum(['ES256', 'RS256', 'PS256', 'EdDSA', 'HS256']).optional(),
  kid: z.string().optional(),
  nbf: seconds.optional().describe('Signs from this time on, in seconds since 1970.'),
  exp: seconds
    .optional()
    .describe(
      'Verifies tokens until this time, in seconds since 1970. Set when the key is replaced.',
    ),
});
export type PrivateJwk = z.infer<typeof PrivateJwk>;

export const PrivateJwkSet = z.strictObject({ keys: z.array(PrivateJwk).min(1).max(50) });

/** A key set that is given inline starts with a brace; anything else is a file name. */
export const isInlineKeySet = (signingKeys: string): boolean =>
  signingKeys.trimStart().startsWith('{');

export const SigningAlgorithm = z
  .enum(['ES256', 'RS256', 'PS256', 'EdDSA', 'HS256'])
  .meta({ id: 'SigningAlgorithm' });
export type SigningAlgorithm = z.infer<typeof SigningAlgorithm>;

const PublicJwk = z
  .object({
    kty: z.string(),
    use: z.literal('sig'),
    alg: SigningAlgorithm,
    kid: z.string(),
    crv: z.string().optional(),
    x: z.string().optional(),
    y: z.string().optional(),
    n: z.string().optional(),
    e: z.string().optional(),
  })
  .meta({ id: 'PublicKey', description: 'One key, with the members of its type (RFC 7518).' });

export const PublicJwkSet = z.object({ keys: z.array(PublicJwk) }).meta({
  id: 'KeySet',
  description: 'The public keys that verify access tokens (RFC 7517).',
  examples: [
    {
      keys: [
        {
          kty: 'EC',
          use: 'sig',
          alg: 'ES256',
          kid: 'oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U',
          crv: 'P-256',
          x: 'usWxHK2PmfnHKwXPS54m0kTcGJ90UiglWiGahtagnv8',
          y: 'IBOL-C3BttVivg-lSreASjpkttcsz-1rb7btKLv8EX4',
        },
      ],
    },
  ],
});
export type PublicJwkSet = z.infer<typeof PublicJwkSet>;
