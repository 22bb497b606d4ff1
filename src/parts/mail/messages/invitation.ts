import type { Letter, Product } from '../letter.ts';

export const invitation = ({ APP_URL, PRODUCT_NAME }: Product, token: string): Letter => ({
  subject: `You are invited to ${PRODUCT_NAME}`,
  paragraphs: [
    'Welcome! An administrator created an account for you. To start using it, choose a password.',
    'The link works for 24 hours. If it has expired, reset your password to get a new link.',
  ],
  action: { label: 'Choose a password', link: `${APP_URL}/reset-password#token=${token}` },
});
