import type { Letter } from '../letter.ts';

export const emailChanging = (appUrl: string): Letter => ({
  subject: 'Your address is about to change',
  paragraphs: [
    'Somebody, probably you, asked to change the address of your account, and entered your password. You keep signing in with this address until the new one is confirmed.',
    'If this was not you, choose a new password now. Somebody else knows yours.',
  ],
  action: { label: 'Choose a new password', link: `${appUrl}/forgot-password` },
});
