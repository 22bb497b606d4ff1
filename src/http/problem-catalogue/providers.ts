import type { Entries } from './entry.ts';

/** An outside provider does not sign in, or cannot be linked. */
export const providerProblems = {
  provider_refused: {
    status: 401,
    title: 'Provider refused',
    detail:
      'The sign-in with the outside provider was cancelled, or its answer is not valid. Start again.',
    cause:
      'The user has cancelled, the sign-in took more than ten minutes or went on in another browser, the ID token is not one that this service asked for or was used before, or the account here is disabled.',
    remedy: 'Start the sign-in again. An app gets a new nonce, and a new ID token with it.',
  },
  provider_unlinked: {
    status: 403,
    title: 'Provider not linked',
    detail:
      'This account at the outside provider signs in to no account here. Sign in in another way, then link it.',
    cause:
      'It is linked to no account here, and it does not make or open one by its address: the provider has not verified the address, it is not one that an account may have, or the account here with this address has not proven it too or has a second factor.',
    remedy:
      'Sign in in another way, or choose a new password with POST /v1/password/forgot, which proves the address. Then link the provider with POST /v1/me/identities/{provider}/redirect.',
  },
  identity_taken: {
    status: 409,
    title: 'Provider linked already',
    detail:
      'This account at the provider is linked to another account here, or yours is linked to another one there.',
    cause:
      'Each account at a provider signs in to one account here, and each account here has at most one at each provider.',
    remedy: 'Remove the other link first, with DELETE /v1/me/identities/{provider}.',
  },
  provider_unavailable: {
    status: 503,
    title: 'Provider unavailable',
    detail:
      'The outside provider does not answer, or not as it should. Other ways to sign in work. Try again after Retry-After seconds.',
    cause:
      'The provider could not be reached within five seconds, answered with an error, or does not know this service (any more). The log has the reason.',
    remedy:
      'Sign in in another way, or wait as long as Retry-After says (seconds). If it stays, check the variables OIDC_… and the registration at the provider.',
  },
} satisfies Entries;
