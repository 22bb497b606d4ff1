import { accessKeyOf, type Binding } from '../../rules/sessions.ts';
import { ACCESS_LIFE, type AccessClaims } from '../../schemas/claims.ts';
import { type CustomClaims, isCustomName } from '../../schemas/custom-claims.ts';
import type { Session, User } from '../../schemas/user.ts';
import { randomId } from '../ids.ts';

/** `client_id` of a person's tokens (required by RFC 9068 section 2.2). A service account has its own ID there. */
const FIRST_PARTY = 'latchkey';

export type Signed = Pick<Session, 'id' | 'amr' | 'created_at' | 'authenticated_at'> & Binding;

interface Issue {
  issuer: string;
  audience: string;
  scope?: string | undefined;
  /** Milliseconds. */
  now: number;
}

/** Without names that a newer version has registered since they were set. */
const customClaimsOf = ({ claims }: User): CustomClaims =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => isCustomName(name)));

/** The claims of a new access token (RFC 9068 section 2.2). */
export function newClaims(
  user: User,
  session: Signed,
  { issuer, audience, scope, now }: Issue,
): AccessClaims {
  const iat = Math.floor(now / 1_000);
  const jkt = accessKeyOf(session);
  return {
    // First: no custom claim can replace another.
    ...customClaimsOf(user),
    iss: issuer,
    aud: audience,
    sub: user.id,
    client_id: user.kind === 'service' ? user.id : FIRST_PARTY,
    iat,
    exp: iat + ACCESS_LIFE,
    jti: randomId(),
    sid: session.id,
    ver: user.access_version,
    roles: user.roles,
    amr: session.amr,
    auth_time: Math.floor((session.authenticated_at ?? session.created_at) / 1_000),
    ...(jkt !== undefined && { cnf: { jkt } }),
    ...(scope !== undefined && { scope }),
  };
}

/** The name of the claim that takes most room. */
export const largestOf = (claims: AccessClaims): string =>
  Object.entries(claims).reduce(
    (largest, [name, value]) => {
      const size = JSON.stringify(value).length;
      return size > largest.size ? { name, size } : largest;
    },
    { name: '', size: 0 },
  ).name;
