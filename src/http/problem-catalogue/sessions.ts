import type { Entries } from './entry.ts';

/** A sign-in fails at its first step, or a session does not go on. */
export const sessionProblems = {
  invalid_credentials: {
    status: 401,
    title: 'Invalid credentials',
    detail: 'The email address or the password is wrong.',
    cause:
      'There is no account with this address, the password is wrong, or the account is disabled. The answer is the same in all three cases, so that nobody can find out which addresses have accounts.',
    remedy: 'Let the user try again, or choose a new password with POST /v1/password/forgot.',
  },
  ambiguous_credentials: {
    status: 400,
    title: 'Ambiguous credentials',
    detail: 'The request carries more than one token of the same kind. Send one.',
    cause:
      'The request has the same kind of token in two places, for example a refresh token in the body and another one in the cookie.',
    remedy: 'Send the token in one place: in the body or in the cookie.',
  },
  refresh_missing: {
    status: 401,
    title: 'Refresh token missing',
    detail: 'The request carries no refresh token. Sign in.',
    cause:
      'There is no refresh token in the body and no refresh cookie: nobody is signed in here, or the browser did not send the cookie.',
    remedy:
      'Sign in. From a browser, send the request with credentials (fetch: credentials: "include").',
  },
  refresh_invalid: {
    status: 401,
    title: 'Refresh token invalid',
    detail: 'The session is unknown, has ended or has expired. Sign in again.',
    cause:
      'The refresh token is not one of this service, or its session was ended by a sign-out, a new password or an administrator, or was not used for too long.',
    remedy: 'Delete the token, and ask the user to sign in again.',
  },
  refresh_reused: {
    status: 401,
    title: 'Refresh token reused',
    detail:
      'This refresh token was used again after its successor, so two parties have it. The session has ended. Sign in again.',
    cause:
      'Each refresh token is used once. This one came back after its successor had been used, which happens when somebody copied it. To be safe the whole session was ended.',
    remedy:
      'Ask the user to sign in again. If it happens to honest clients, store the new token before the next request, and repeat a lost refresh with the same Idempotency-Key.',
  },
} satisfies Entries;
