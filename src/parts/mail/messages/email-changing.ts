import type { Letter } from '../letter.ts';

export const emailChanging = (appUrl: string): Letter => ({
  subject: 'Your address is about to change',
  paragraphs: [
    'Somebody who knows your password asked to move your account to another address. This one holds until the other is confirmed.',
    'If it was not you, choose a new password now.',
  ],
  action: { label: 'Choose a new password', link: `${appUrl}/forgot-password` },
});
