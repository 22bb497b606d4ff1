import type { User } from '../schemas/user.ts';

export const hasSecondFactor = (user: User): boolean => user.mfa.totp !== undefined;
