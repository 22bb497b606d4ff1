/**
 * What goes into `amr` (RFC 8176), by what was proven. The one value that is not registered is `fed`, federated: there is none for
 * a sign-in elsewhere, and what the provider has asked for is its word only.
 */
export const AMR = {
  password: ['pwd'],
  totp: ['otp'],
  mailCode: ['otp'],
  /** The key cannot leave its authenticator, which has checked who uses it. */
  hardwareKey: ['hwk', 'user'],
  softwareKey: ['swk', 'user'],
  provider: ['fed'],
  /** Besides the value of the second factor. */
  secondFactor: ['mfa'],
} satisfies Record<string, string[]>;
