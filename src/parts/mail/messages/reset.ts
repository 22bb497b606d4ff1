import type { Letter } from '../letter.ts';

export const reset = (appUrl: string, token: string): Letter => ({
  subject: 'Choose a new password',
  paragraphs: [
    'Someone, probably you, asked to reset the password of your account.',
    'The link works once, for 10 minutes. If this was not you, you can ignore this email: your password has not changed.',
  ],
  action: { label: 'Choose a new password', link: `${appUrl}/reset-password#token=${token}` },
});
