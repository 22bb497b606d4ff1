import type { Letter } from '../letter.ts';

/** Account changes that the owner is notified of: subject, and what happened. */
const notices = {
  'password.changed': [
    'Your password was changed',
    'The password of your account was changed, and you were signed out on your other devices.',
  ],
  'password.removed': [
    'Your password was removed',
    'You signed in with a code by mail. Until then, we did not know whether the account with this address was yours, so we removed what someone else may have added: its password, second factor, passkeys and linked providers, if it had any. Everyone else was signed out. To sign in with a password, choose a new one.',
  ],
  'email.changed': [
    'Your email address was changed',
    'Your account now uses a different email address. You can no longer sign in with this one.',
  ],
  'mfa.enabled': [
    'Second factor turned on',
    'From now on, you need a code from your authenticator app to sign in, unless you use a passkey.',
  ],
  'mfa.disabled': [
    'Second factor turned off',
    'From now on, signing in takes no code any more. You were signed out on your other devices.',
  ],
  'mfa.recovery_codes_renewed': [
    'New recovery codes',
    'You have new recovery codes. The old ones no longer work.',
  ],
  'mfa.recovery_code_used': [
    'A recovery code was used',
    'Someone, probably you, signed in with one of your recovery codes. Each code works only once, so this one is used up.',
  ],
  'passkey.added': [
    'A passkey was added',
    'A new passkey was added to your account. It signs in without your password.',
  ],
  'passkey.removed': [
    'A passkey was removed',
    'A passkey was removed from your account. It no longer signs in, and you were signed out on your other devices.',
  ],
  'passkey.copied': [
    'We refused one of your passkeys',
    'Someone may have a copy of one of your passkeys: its signature counter went back. To protect your account, we refused it. Remove this passkey and add a new one.',
  ],
  'identity.linked': [
    'A sign-in with another provider was added',
    'From now on, your account at another provider signs in here, too. Your account page shows which one.',
  ],
  'identity.unlinked': [
    'A sign-in with another provider was removed',
    'An account at another provider no longer signs in here, and you were signed out on your other devices.',
  ],
  'passkeys.removed': [
    'Your passkeys were removed',
    'An administrator removed all passkeys of your account. They no longer sign in, and you were signed out on all your devices.',
  ],
  'identities.unlinked': [
    'Your sign-ins with other providers were removed',
    'An administrator removed all sign-ins with other providers from your account. They no longer sign in here until you add them again, and you were signed out on all your devices.',
  ],
  'session.reuse_detected': [
    'We signed out one of your devices',
    'Someone may have copied the sign-in of one of your devices: an old token was used again. To protect your account, we signed that device out.',
  ],
  'account.deleted': ['Your account was deleted', 'Your account and all its data were deleted.'],
} as const;

export type NoticeName = keyof typeof notices;

/** After these the reader can no longer use the account to undo the change. */
const BEYOND_REPAIR: ReadonlySet<NoticeName> = new Set(['email.changed', 'account.deleted']);

/** After these, someone else may have a way in that a new password does not close. */
const WAYS_IN: ReadonlySet<NoticeName> = new Set(['passkey.added', 'identity.linked']);

/** An administrator removed these ways in; one may have been the last. */
const WAYS_IN_REMOVED: ReadonlySet<NoticeName> = new Set([
  'passkeys.removed',
  'identities.unlinked',
]);

export function notice(name: NoticeName, appUrl: string): Letter {
  const [subject, happened] = notices[name];
  if (BEYOND_REPAIR.has(name)) {
    return {
      subject,
      paragraphs: [
        happened,
        'If this was not you, please contact the operator of this service right away.',
      ],
    };
  }
  if (WAYS_IN.has(name)) {
    return {
      subject,
      paragraphs: [
        happened,
        'If this was not you, remove it on your account page now, then choose a new password.',
      ],
      action: { label: 'Open your account', link: `${appUrl}/account` },
    };
  }
  if (WAYS_IN_REMOVED.has(name)) {
    return {
      subject,
      paragraphs: [
        happened,
        'If you can no longer sign in, choose a new password. If you did not ask for this, contact the operator of this service.',
      ],
      action: { label: 'Choose a new password', link: `${appUrl}/forgot-password` },
    };
  }
  return {
    subject,
    paragraphs: [
      happened,
      'If this was not you, please choose a new password now and check your list of devices.',
    ],
    action: { label: 'Choose a new password', link: `${appUrl}/forgot-password` },
  };
}
