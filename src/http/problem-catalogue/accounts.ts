import type { Entries } from './entry.ts';

/** The state of the account, or a setting, forbids what was asked. */
export const accountProblems = {
  sign_up_closed: {
    status: 403,
    title: 'Sign-up closed',
    detail: 'Sign-up is closed. Ask an administrator for an account.',
    cause: 'This service does not let people create accounts by themselves (SIGN_UP=closed).',
    remedy: 'Ask an administrator for an invitation.',
  },
  email_verification_required: {
    status: 403,
    title: 'Email verification required',
    detail: 'Sign up with the address alone: the account is made once the mailbox is confirmed.',
    cause:
      'This service makes an account only after the mailbox is confirmed (SIGN_UP=verified), and the request has a password already.',
    remedy:
      'Send POST /v1/register with the address alone. The mail has a link with which the user chooses a password.',
  },
  email_unverified: {
    status: 403,
    title: 'Address not confirmed',
    detail: 'Confirm the email address of the account first, with the link in the mail.',
    cause:
      'Nobody has proven yet that the address of this account is theirs. Until then, a second way to sign in could lock out the person to whom the address belongs.',
    remedy:
      'Have the user open the link in the mail. PUT /v1/me/email with the same address sends it again. Then repeat the request.',
  },
  email_taken: {
    status: 409,
    title: 'Email taken',
    detail: 'There is an account with this address. Sign in instead.',
    cause: 'Each address has one account.',
    remedy: 'Sign in, or choose a new password with POST /v1/password/forgot.',
  },
  link_invalid: {
    status: 400,
    title: 'Link invalid',
    detail:
      'The link has expired, was used before, or was replaced by a newer one. Ask for a new one.',
    cause:
      'Mailed links work once and for a limited time. A newer link, or a change of the password or the address, makes older links invalid.',
    remedy: 'Ask for a new mail, and use the link in the latest one.',
  },
  last_way_in: {
    status: 409,
    title: 'Last way in',
    detail: 'Without it, only a code by mail could sign in to the account. Add another way first.',
    cause: 'The account has no password, no other passkey and no other linked provider.',
    remedy:
      'Add a passkey, or choose a password with POST /v1/password/forgot, then repeat the request.',
  },
  last_admin: {
    status: 409,
    title: 'Last administrator',
    detail: 'This is the only administrator. Appoint another one first.',
    cause:
      'The request would leave the service without an active administrator, and nobody could repair that through the API.',
    remedy: 'Give another user the role "admin", then repeat the request.',
  },
} satisfies Entries;
