import type { Letter, Product } from '../letter.ts';

export const alreadyRegistered = ({ APP_URL, PRODUCT_NAME }: Product): Letter => ({
  subject: `You already have an account at ${PRODUCT_NAME}`,
  paragraphs: [
    'Someone, probably you, tried to use this email address for a new account. You already have one with this address, and nothing has changed.',
    'Sign in as usual. If you forgot your password, you can reset it. If this was not you, you can ignore this email.',
  ],
  action: { label: 'Sign in', link: `${APP_URL}/login` },
});
