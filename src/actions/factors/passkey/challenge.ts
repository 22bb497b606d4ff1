import type { Context } from '../../../context.ts';
import { ALGORITHMS } from '../../../parts/passkeys/passkeys.ts';
import { emailKey } from '../../../rules/accounts.ts';
import { fingerprint } from '../../../rules/fingerprint.ts';
import type { User } from '../../../schemas/user.ts';
import type { Assertion, Registration } from '../../../schemas/webauthn.ts';
import { lifeOf } from '../../tokens/life.ts';

/** Seconds. */
const LIFE = 300;

/** The `sub` of a challenge for whichever account the passkey belongs to. No fingerprint is so short. */
const ANYONE = '*';

/** Browsers take the challenge in base64url. */
const sent = (token: string) => ({
  challenge: Buffer.from(token).toString('base64url'),
  timeout: LIFE * 1_000,
});

/**
 * Options for `navigator.credentials.get()`. They name no credential, so they are the same for every account and for none:
 * the browser knows the passkeys of its user. `email`: only a passkey of this address answers them.
 */
export function requestOptions(context: Context, email: string | undefined) {
  const sub = email === undefined ? ANYONE : fingerprint(emailKey(email));
  const token = context.ownTokens.issue('passkey', { sub, ...lifeOf(context, LIFE) });
  const { rpId } = context.passkeys;
  return {
    options: { ...sent(token), rpId, userVerification: 'required' as const },
    expires_in: LIFE,
  };
}

/** The challenge that this answers, if the user may answer it. `until`: milliseconds. */
export function answeredChallenge(
  { ownTokens, passkeys }: Context,
  assertion: Assertion,
  user: User | undefined,
): { id: string; until: number } | undefined {
  const claims = ownTokens.read('passkey', passkeys.challengeIn(assertion, 'webauthn.get') ?? '');
  const own = fingerprint(String(user?.email_key));
  return claims !== undefined && (claims.sub === ANYONE || claims.sub === own)
    ? { id: claims.jti, until: claims.exp * 1_000 }
    : undefined;
}

/** The user handle: the ID of the row, so that a passkey finds its user without an index. */
const handleOf = ({ id }: Pick<User, 'id'>) => Buffer.from(id).toString('base64url');

/** The ID of the row that an assertion names. Nothing has signed it. */
export const namedUser = ({ response: { userHandle } }: Assertion): string =>
  Buffer.from(userHandle, 'base64url').toString();

/** Options for `navigator.credentials.create()`. Only this session can answer them. */
export function creationOptions(context: Context, user: User, sid: string) {
  const { ownTokens, passkeys, config } = context;
  const token = ownTokens.issue('new-passkey', { sub: user.id, sid, ...lifeOf(context, LIFE) });
  const required = 'required' as const;
  const key = 'public-key' as const;
  const name = String(user.email);
  return {
    options: {
      ...sent(token),
      rp: { id: passkeys.rpId, name: config.PRODUCT_NAME },
      user: { id: handleOf(user), name, displayName: user.name ?? name },
      pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: key, alg })),
      excludeCredentials: user.passkeys.map(({ id }) => ({ type: key, id })),
      authenticatorSelection: {
        residentKey: required,
        requireResidentKey: true as const,
        userVerification: required,
      },
      attestation: 'none' as const,
    },
    expires_in: LIFE,
  };
}

/** Whether a registration answers options that this session has got. */
export function answersCreation(
  { ownTokens, passkeys }: Context,
  registration: Registration,
  caller: { sub: string; sid: string },
): boolean {
  const token = passkeys.challengeIn(registration, 'webauthn.create') ?? '';
  const claims = ownTokens.read('new-passkey', token);
  return claims !== undefined && claims.sub === caller.sub && claims.sid === caller.sid;
}
