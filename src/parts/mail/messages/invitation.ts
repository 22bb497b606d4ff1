import type { Letter, Product } from '../letter.ts';

export const invitation = ({ APP_URL, PRODUCT_NAME }: Product, token: string): Letter => ({
  subject: `You are invited to ${PRODUCT_NAME}`,
  paragraphs: [
    'An administrator has created an account for you. Choose a password to start using it.',
    'The link works for 24 hours. If it has expired, ask for a new password on the sign-in page.',
  ],
  action: { label: 'Choose a password', link: `${APP_URL}/reset-password#token=${token}` },
});
