import type { Letter } from '../letter.ts';

export const reset = (appUrl: string, token: string): Letter => ({
  subject: 'Choose a new password',
  paragraphs: [
    'Somebody, probably you, forgot the password of your account.',
    'The link is good for 10 minutes, and only until the password changes. If it was not you, do nothing: your password still holds.',
  ],
  action: { label: 'Choose a new password', link: `${appUrl}/reset-password#token=${token}` },
});
