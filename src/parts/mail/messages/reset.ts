import type { Letter } from '../letter.ts';

export const reset = (appUrl: string, token: string): Letter => ({
  subject: 'Choose a new password',
  paragraphs: [
    'Somebody, probably you, asked for a new password for your account.',
    'The link works once, within 10 minutes. If this was not you, you can ignore this mail: your password has not changed.',
  ],
  action: { label: 'Choose a new password', link: `${appUrl}/reset-password#token=${token}` },
});
