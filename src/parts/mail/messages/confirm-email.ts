import type { Letter } from '../letter.ts';

export const confirmEmail = (appUrl: string, token: string): Letter => ({
  subject: 'Confirm your address',
  paragraphs: [
    'Confirm that this is the address of your account. The link is good for 24 hours.',
    'If you do not know what this is about, do nothing.',
  ],
  action: { label: 'Confirm the address', link: `${appUrl}/confirm-email#token=${token}` },
});
