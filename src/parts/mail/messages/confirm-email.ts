import type { Letter, Product } from '../letter.ts';

/** For a user who changes the address of an account. */
export const confirmEmail = ({ APP_URL, PRODUCT_NAME }: Product, token: string): Letter => ({
  subject: 'Confirm your email address',
  paragraphs: [
    `Please confirm that you want to use this email address for your account at ${PRODUCT_NAME}. The link works for 24 hours.`,
    'If you were not expecting this, do not open the link: it would give your address to the account of someone else. You can ignore this email.',
  ],
  action: { label: 'Confirm email address', link: `${APP_URL}/confirm-email#token=${token}` },
});
