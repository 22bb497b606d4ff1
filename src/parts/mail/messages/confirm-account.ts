import type { Letter, Product } from '../letter.ts';

interface NewAccount {
  /** UTC, readable. */
  madeAt: string;
  /** What the account was made with. Never what the client says of itself: a stranger would write the letter. */
  device: string;
  token: string;
  notMeToken: string;
}

/** For an account that may have been made by someone other than the reader. */
export const confirmAccount = (
  { APP_URL, PRODUCT_NAME }: Product,
  { madeAt, device, token, notMeToken }: NewAccount,
): Letter => ({
  subject: 'Confirm your email address',
  paragraphs: [
    `An account at ${PRODUCT_NAME} was made with this email address on ${madeAt}, with ${device}.`,
    'If it was you, please confirm the address, on the device that you made the account with. The link works for 24 hours.',
    'If it was not you, do not confirm the address: the account belongs to someone else, who would go on using it in your name. Choose "This was not me", and the account is deleted.',
  ],
  action: { label: 'Confirm email address', link: `${APP_URL}/confirm-email#token=${token}` },
  otherwise: { label: 'This was not me', link: `${APP_URL}/not-me#token=${notMeToken}` },
});
