import type { Letter, Product } from '../letter.ts';

interface SignInCode {
  code: string;
  /** UTC, readable. */
  at: string;
  /** Never what the client says of itself, as in `confirm-account.ts`. */
  device: string;
}

/** No link: a mail scanner has nothing to open. The code is not in the subject, which the log has. */
export const signInCode = (
  { PRODUCT_NAME }: Pick<Product, 'PRODUCT_NAME'>,
  { code, at, device }: SignInCode,
): Letter => ({
  subject: `Your code to sign in to ${PRODUCT_NAME}`,
  paragraphs: [
    `Your code is ${code}`,
    `Someone, probably you, asked for it on ${at}, with ${device}. Enter it on the page where you asked for it. It works only there, once, for 10 minutes.`,
    'If this was not you, you can ignore this email. Give the code to nobody, whoever asks for it: with it they could sign in as you.',
  ],
});
