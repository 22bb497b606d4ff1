import type { Letter, Product } from '../letter.ts';

export const signUp = ({ APP_URL, PRODUCT_NAME }: Product, token: string): Letter => ({
  subject: `Finish signing up at ${PRODUCT_NAME}`,
  paragraphs: [
    'Somebody, probably you, asked to create an account with this address. There is no account until you finish signing up.',
    'The link works for 24 hours. If this was not you, you can ignore this mail.',
  ],
  action: { label: 'Finish signing up', link: `${APP_URL}/sign-up#token=${token}` },
});
