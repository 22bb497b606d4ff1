import type { Letter } from '../letter.ts';

/** Subject and first paragraph of the mails that tell an owner what happened to the account. */
const notices = {
  'password.changed': [
    'Your password was changed',
    'The password of your account was changed. All other devices have been signed out.',
  ],
  'email.changed': [
    'Your address was changed',
    'Your account now has another address. You can no longer sign in with this one.',
  ],
  'mfa.enabled': [
    'Second factor switched on',
    'From now on, you sign in with your password and a code from your authenticator app.',
  ],
  'mfa.disabled': [
    'Second factor switched off',
    'From now on, you sign in with your password alone. All other devices have been signed out.',
  ],
  'mfa.recovery_codes_renewed': [
    'New recovery codes',
    'New recovery codes were created for your account. The old ones no longer work.',
  ],
  'mfa.recovery_code_used': [
    'A recovery code was used',
    'Somebody, probably you, signed in with one of your recovery codes. Each code works once, so this one is now used up.',
  ],
  'session.reuse_detected': [
    'A session was ended for your safety',
    'A sign-in token of one of your devices was used twice, so somebody may have copied it. To protect you, that device was signed out.',
  ],
  'account.deleted': ['Your account was deleted', 'Your account and its data were deleted.'],
} as const;

export type NoticeName = keyof typeof notices;

/** After these, the reader can no longer choose a new password. */
const NO_ACCESS: ReadonlySet<NoticeName> = new Set(['email.changed', 'account.deleted']);

export function notice(name: NoticeName, appUrl: string): Letter {
  const [subject, happened] = notices[name];
  if (NO_ACCESS.has(name)) {
    return {
      subject,
      paragraphs: [happened, 'If you did not expect this, contact the people who run the service.'],
    };
  }
  return {
    subject,
    paragraphs: [
      happened,
      'If this was not you, choose a new password now. That signs out every device.',
    ],
    action: { label: 'Choose a new password', link: `${appUrl}/forgot-password` },
  };
}
