import type { Letter } from '../letter.ts';

export const alreadyRegistered = (appUrl: string): Letter => ({
  subject: 'You have an account already',
  paragraphs: [
    'Somebody, probably you, wanted to use this address for an account. It has one already, and nothing was changed.',
    'If you forgot the password, ask for a new one. If it was not you, do nothing.',
  ],
  action: { label: 'Sign in', link: `${appUrl}/login` },
});
