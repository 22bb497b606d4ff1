import type { Letter } from '../letter.ts';

export const emailChanging = (appUrl: string): Letter => ({
  subject: 'Your email address is about to change',
  paragraphs: [
    'Someone who knows your password asked to change the email address of your account. This address stays in use until the new one is confirmed.',
    'If this was you, there is nothing to do here. If not, please choose a new password now.',
  ],
  action: { label: 'Choose a new password', link: `${appUrl}/forgot-password` },
});
