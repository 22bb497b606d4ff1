import type { Letter, Product } from '../letter.ts';

interface NewSignIn {
  /** UTC, readable. */
  at: string;
  /** Never what the client says of itself, as in `confirm-account.ts`. */
  device: string;
}

/** For a sign-in on a device that the account does not know. */
export const newSignIn = (
  { APP_URL, PRODUCT_NAME }: Product,
  { at, device }: NewSignIn,
): Letter => ({
  subject: `New sign-in to your account at ${PRODUCT_NAME}`,
  paragraphs: [
    `Someone, probably you, signed in to your account on ${at}, with ${device}, on a device that had not signed in before.`,
    'If it was you, there is nothing to do here. If it was not you, sign that device out in your account, under Devices, and choose a new password now.',
  ],
  action: { label: 'See my devices', link: `${APP_URL}/account` },
  otherwise: { label: 'Choose a new password', link: `${APP_URL}/forgot-password` },
});
