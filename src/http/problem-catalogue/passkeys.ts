import type { Entries } from './entry.ts';

/** A passkey does not sign in, or cannot be added. */
export const passkeyProblems = {
  passkey_refused: {
    status: 401,
    title: 'Passkey refused',
    detail: 'This passkey does not sign in here, or the sign-in took too long. Start again.',
    cause:
      'The passkey is unknown or was removed, the account is disabled, or the challenge is older than five minutes or was answered before. The answer is the same in all these cases. It also comes if the page is not of an allowed origin, or the authenticator did not check who uses it.',
    remedy:
      'Start again with POST /v1/login/passkey/options, or sign in in another way. A page must be at a host that PASSKEY_RP_ID covers, and at an allowed origin.',
  },
  passkey_copied: {
    status: 403,
    title: 'Passkey copied',
    detail:
      'The signature counter of this passkey went back, so there may be a copy of it. It was refused, and its owner was told.',
    cause:
      'An authenticator that counts its signatures sent a number that is not above the last one (WebAuthn section 6.1.1). Either the passkey was copied, or the authenticator was set back.',
    remedy: 'Sign in in another way, remove the passkey, and add a new one.',
  },
  passkey_invalid: {
    status: 400,
    title: 'Passkey invalid',
    detail: 'The passkey could not be added: start again with new options.',
    cause:
      'The answer of the authenticator does not belong to the options of this session, is older than five minutes, comes from a page of another origin, lacks the check of its user, or the account has this passkey already.',
    remedy: 'Start again with POST /v1/me/passkeys/options, from a page of an allowed origin.',
  },
  too_many_passkeys: {
    status: 409,
    title: 'Too many passkeys',
    detail: 'An account can have up to ten passkeys. Remove one first.',
    cause: 'The account has ten passkeys.',
    remedy: 'Remove one with DELETE /v1/me/passkeys/{id}, then add the new one.',
  },
} satisfies Entries;
