import type { Entries } from './entry.ts';

/** A proof is missing or wrong, or the second factor cannot be changed. */
export const factorProblems = {
  step_up_required: {
    status: 401,
    title: 'Step-up required',
    detail:
      'This needs a proof of who you are that is at most 15 minutes old. Call POST /v1/me/verify, then repeat the request.',
    cause:
      'The access token is valid, but its `auth_time` is more than 15 minutes ago, and the request would make something that outlives the token.',
    remedy:
      'Ask the user for the password, a code of the authenticator app, a recovery code or a passkey, call POST /v1/me/verify, and repeat the request with the access token that it answers. A user who has none of these signs in again: a new session has a new `auth_time`.',
  },
  second_factor_required: {
    status: 401,
    title: 'Second factor required',
    detail: 'The account has a second factor, so the password alone is not enough. Send a code.',
    cause:
      'The password was sent to POST /v1/me/verify, and the account has a second factor. What a recent proof allows, such as adding a passkey, would go around it.',
    remedy:
      'Ask the user for a code of the authenticator app, a recovery code or a passkey, and send that to POST /v1/me/verify instead of the password.',
  },
  challenge_invalid: {
    status: 401,
    title: 'Challenge invalid',
    detail: 'The sign-in took too long, had its five tries, or is complete already. Start again.',
    cause:
      'The mfa_token of the first step is valid for five minutes, five tries and one sign-in. It also ends when the password changes.',
    remedy: 'Start again with POST /v1/login, or with another code by mail.',
  },
  invalid_code: {
    status: 401,
    title: 'Invalid code',
    detail: 'The code is wrong, too old, or was used before. A challenge allows five tries.',
    cause:
      'The first step was right, but the code does not match the authenticator app, is older than a minute, or was used before; or the passkey is not one of this account, or has answered an old challenge.',
    remedy:
      'Ask the user for the next code of the app, or for a recovery code. After five wrong codes start again with the first step.',
  },
  mail_code_refused: {
    status: 401,
    title: 'Code by mail refused',
    detail: 'The code is wrong, too old, or no longer valid. Ask for a new one.',
    cause:
      'The code does not belong to this code_token, is older than ten minutes, or had its five tries; or the user has signed in since, in whatever way. The answer is the same in all these cases, and for an address without an account.',
    remedy:
      'Ask the user for the code of the newest email, or send a new one with POST /v1/login/code. The code works only with the code_token of the request that it was sent for.',
  },
  wrong_password: {
    status: 403,
    title: 'Wrong password',
    detail: 'The current password is wrong. Nothing was changed.',
    cause:
      'This request changes how the account is protected, so it needs the current password, and the password was wrong or missing.',
    remedy: 'Ask the user for the current password again.',
  },
  wrong_code: {
    status: 403,
    title: 'Wrong code',
    detail: 'The code is wrong, too old, or was used before. Nothing was changed.',
    cause:
      'The code does not match the authenticator app, is older than a minute, or was used before. A recovery code can be used once. A passkey gets this answer where `passkey_refused` would say that it does not sign in.',
    remedy:
      'Ask the user for the next code of the app. If codes are always wrong, the clock of the phone may be.',
  },
  mfa_enabled: {
    status: 409,
    title: 'Second factor enabled',
    detail: 'The account has a second factor already. Remove it first.',
    cause: 'An account has at most one authenticator app.',
    remedy: 'Remove the second factor with DELETE /v1/me/mfa/totp, then enrol the new one.',
  },
  mfa_not_enabled: {
    status: 409,
    title: 'No second factor',
    detail: 'The account has no second factor to confirm, use or remove.',
    cause: 'No second factor was enrolled, or the enrolment ended after five wrong codes.',
    remedy: 'Start an enrolment with POST /v1/me/mfa/totp.',
  },
  throttled: {
    status: 429,
    title: 'Too many failures',
    detail:
      'Too many wrong guesses. The Retry-After header says how many seconds to wait; until then even the right password or code is refused.',
    cause:
      'Several passwords or codes in a row were wrong for this account, from this network or session. A device that has signed in before has a count of its own, which strangers cannot use up.',
    remedy:
      'Wait as long as Retry-After says (seconds). Send the device_token of an earlier sign-in, so that guesses of strangers do not make the user wait.',
  },
} satisfies Entries;
