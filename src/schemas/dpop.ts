import { z } from 'zod';

/** Asymmetric algorithms of DPoP proofs (RFC 9449 section 5.1). `Ed25519` is `EdDSA` by its newer name (RFC 9864). */
export const DPOP_ALGORITHMS = ['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256'] as const;
export type DpopAlgorithm = (typeof DPOP_ALGORITHMS)[number];

/** The thumbprint of a public key (RFC 7638, SHA-256). */
export const Thumbprint = z.string().regex(/^[\w-]{43}$/);

/** RFC 9449 section 6.1. */
export const Confirmation = z
  .strictObject({
    jkt: Thumbprint.describe('Thumbprint (RFC 7638) of the key that proofs must have.'),
  })
  .meta({
    id: 'Confirmation',
    description: 'The key to which the token is bound (RFC 9449). Absent in a Bearer token.',
  });

/** The header of a DPoP proof (RFC 9449 section 4.2). Other members are ignored, but `crit` is not (RFC 7515 section 4.1.11). */
export const DpopHeader = z.object({
  typ: z.literal('dpop+jwt'),
  alg: z.enum(DPOP_ALGORITHMS),
  jwk: z.record(z.string(), z.unknown()),
  crit: z.undefined().optional(),
});

/** Its claims. `iat`, `exp` and `nbf`: seconds since 1970. */
export const DpopClaims = z.object({
  jti: z.string().min(1).max(256),
  htm: z.string(),
  htu: z.string(),
  iat: z.number(),
  exp: z.number().optional(),
  nbf: z.number().optional(),
  ath: z.string().optional(),
  nonce: z.string().optional(),
});
export type DpopClaims = z.infer<typeof DpopClaims>;
