import type { User } from '../schemas/user.ts';

/** Whether a sign-in with the password needs a second step. */
export const hasSecondFactor = (user: User): boolean => user.mfa.totp !== undefined;

/** From then on the password alone signs in. */
export const withoutSecondFactor = (user: User): User => ({ ...user, mfa: { challenges: [] } });
