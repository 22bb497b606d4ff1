import type { Letter, Product } from '../letter.ts';

export const alreadyRegistered = ({ APP_URL, PRODUCT_NAME }: Product): Letter => ({
  subject: `You already have an account at ${PRODUCT_NAME}`,
  paragraphs: [
    'Somebody, probably you, asked to use this address for an account. It already has one, and nothing was changed.',
    'Sign in as usual. If you forgot your password, choose a new one on the sign-in page. If this was not you, you can ignore this mail.',
  ],
  action: { label: 'Sign in', link: `${APP_URL}/login` },
});
