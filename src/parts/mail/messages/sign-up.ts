import type { Letter, Product } from '../letter.ts';

export const signUp = ({ APP_URL, PRODUCT_NAME }: Product, token: string): Letter => ({
  subject: `Finish signing up at ${PRODUCT_NAME}`,
  paragraphs: [
    'Somebody, probably you, wants to make an account with this address. Nothing is stored until you finish.',
    'The link is good for 24 hours. If it was not you, do nothing.',
  ],
  action: { label: 'Finish signing up', link: `${APP_URL}/sign-up#token=${token}` },
});
