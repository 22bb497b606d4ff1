import type { Letter, Product } from '../letter.ts';

export const signUp = ({ APP_URL, PRODUCT_NAME }: Product, token: string): Letter => ({
  subject: `Finish signing up at ${PRODUCT_NAME}`,
  paragraphs: [
    'Welcome! Someone, probably you, started to create an account with this email address. Nothing is stored until you finish.',
    'The link works for 24 hours. If this was not you, you can ignore this email.',
  ],
  action: { label: 'Finish signing up', link: `${APP_URL}/sign-up#token=${token}` },
});
