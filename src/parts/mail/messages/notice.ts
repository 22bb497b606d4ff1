import type { Letter } from '../letter.ts';

/** What happened to an account, and so is told to its owner. */
const notices = {
  'password.changed': [
    'Your password was changed',
    'The password of your account was changed. Every other session has ended.',
  ],
  'email.changed': [
    'Your address was changed',
    'Your account has moved to another address. This one no longer signs in.',
  ],
  'mfa.enabled': [
    'Second factor switched on',
    'From now on signing in needs a code from your authenticator app.',
  ],
  'mfa.disabled': [
    'Second factor switched off',
    'From now on the password alone signs in. Every other session has ended.',
  ],
  'mfa.recovery_codes_renewed': [
    'New recovery codes',
    'You have a new set of recovery codes. The old set no longer works.',
  ],
  'mfa.recovery_code_used': [
    'A recovery code was used',
    'Somebody signed in with one of your recovery codes. It no longer works.',
  ],
  'session.reuse_detected': [
    'A session was ended for safety',
    'A sign-in token of one of your devices was used again after it had been exchanged, so somebody may have copied it. That session has ended.',
  ],
  'account.deleted': ['Your account is deleted', 'Your account and everything about it is gone.'],
} as const;

export type NoticeName = keyof typeof notices;

/** After these the address, or the account, is out of the reader's hands. */
const BEYOND_REPAIR: ReadonlySet<NoticeName> = new Set(['email.changed', 'account.deleted']);

export function notice(name: NoticeName, appUrl: string): Letter {
  const [subject, happened] = notices[name];
  if (BEYOND_REPAIR.has(name)) {
    return { subject, paragraphs: [happened, 'If it was not you, tell whoever runs the service.'] };
  }
  return {
    subject,
    paragraphs: [
      happened,
      'If it was not you, choose a new password now, and look at your devices.',
    ],
    action: { label: 'Choose a new password', link: `${appUrl}/forgot-password` },
  };
}
