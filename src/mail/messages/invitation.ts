import type { Letter } from '../letter.ts';

export const invitation = (appUrl: string, token: string): Letter => ({
  subject: 'You are invited',
  paragraphs: [
    'An administrator made an account for this address. Choose a password to use it.',
    'The link is good for 24 hours. After that, ask for a new password instead.',
  ],
  action: { label: 'Choose a password', link: `${appUrl}/reset-password#token=${token}` },
});
