import type { Letter } from '../letter.ts';

export const confirmEmail = (appUrl: string, token: string): Letter => ({
  subject: 'Confirm your email address',
  paragraphs: [
    'Please confirm that you want to use this email address for your account. The link works for 24 hours.',
    'If you were not expecting this, you can ignore this email.',
  ],
  action: { label: 'Confirm email address', link: `${appUrl}/confirm-email#token=${token}` },
});
