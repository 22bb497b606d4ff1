import { z } from 'zod';
import type { ProviderSettings } from '../../config/providers.ts';
import type { Identity } from '../../rules/identities.ts';

const Text = z.string().optional().catch(undefined);
/** Apple sends the text `true`, and Microsoft may send numbers. */
const Yes = z
  .union([z.literal(true), z.literal('true'), z.literal(1), z.literal('1')])
  .optional()
  .catch(undefined);

/** What an ID token or a user info answer says of its user (OpenID Connect Core section 5.1). */
export const ProviderClaims = z.object({
  /** Section 2: at most 255 ASCII characters. */
  sub: z.string().regex(/^[\x20-\x7e]{1,255}$/),
  email: Text,
  email_verified: Yes,
  /** Microsoft: the organization owns the domain of the address. */
  xms_edov: Yes,
  name: Text,
});
export type ProviderClaims = z.infer<typeof ProviderClaims>;

/** Microsoft lets organizations write any address, so `email_verified` of an organization is its word only. */
const isMicrosoft = (issuer: string): boolean =>
  new URL(issuer).host === 'login.microsoftonline.com';

/** Who the claims speak of. */
export function identityOf(
  { slot, issuer }: Pick<ProviderSettings, 'slot' | 'issuer'>,
  { sub, email, email_verified, xms_edov, name }: ProviderClaims,
): Identity {
  const isVerified = (isMicrosoft(issuer) ? xms_edov : email_verified) !== undefined;
  return { column: `identity_${slot}`, issuer, sub, email: isVerified ? email : undefined, name };
}

/** How the provider is asked to answer. Apple tells an address only in a form. */
export const answerMode = (issuer: string): { response_mode?: string } =>
  issuer === 'https://appleid.apple.com' ? { response_mode: 'form_post' } : {};
