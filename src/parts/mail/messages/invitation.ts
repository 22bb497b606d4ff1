import type { Letter, Product } from '../letter.ts';

export const invitation = ({ APP_URL, PRODUCT_NAME }: Product, token: string): Letter => ({
  subject: `You are invited to ${PRODUCT_NAME}`,
  paragraphs: [
    'An administrator made an account for this address. Choose a password to use it.',
    'The link is good for 24 hours. After that, ask for a new password instead.',
  ],
  action: { label: 'Choose a password', link: `${APP_URL}/reset-password#token=${token}` },
});
