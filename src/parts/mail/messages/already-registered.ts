import type { Letter, Product } from '../letter.ts';

export const alreadyRegistered = ({ APP_URL, PRODUCT_NAME }: Product): Letter => ({
  subject: `You have an account at ${PRODUCT_NAME} already`,
  paragraphs: [
    'Somebody, probably you, wanted to use this address for an account. It has one already, and nothing was changed.',
    'If you forgot the password, ask for a new one. If it was not you, do nothing.',
  ],
  action: { label: 'Sign in', link: `${APP_URL}/login` },
});
