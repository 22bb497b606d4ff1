import type { Letter } from '../letter.ts';

export const signUp = (appUrl: string, token: string): Letter => ({
  subject: 'Finish signing up',
  paragraphs: [
    'Somebody, probably you, wants to make an account with this address. Nothing is stored until you finish.',
    'The link is good for 24 hours. If it was not you, do nothing.',
  ],
  action: { label: 'Finish signing up', link: `${appUrl}/sign-up#token=${token}` },
});
