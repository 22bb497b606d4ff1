import type { Letter } from '../letter.ts';

export const confirmEmail = (appUrl: string, token: string): Letter => ({
  subject: 'Confirm your address',
  paragraphs: [
    'Please confirm that you want to use this address for your account. The link works for 24 hours.',
    'If you did not ask for this, you can ignore this mail.',
  ],
  action: { label: 'Confirm your address', link: `${appUrl}/confirm-email#token=${token}` },
});
