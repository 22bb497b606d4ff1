import { newUserId } from '../../src/parts/ids.ts';
import { newPerson } from '../../src/rules/accounts.ts';
import type { SessionLimits } from '../../src/rules/sessions.ts';
import type { Session, User } from '../../src/schemas/user.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const DAY = 24 * 60 * MINUTE;

/** The time of the samples (ms). */
export const NOW = Date.UTC(2026, 10, 23, 18, 0, 0);

export const limits: SessionLimits = {
  idle: 14 * DAY,
  max: 30 * DAY,
  grace: 30 * SECOND,
  count: 10,
};

/** A person who has just signed up, without a session. */
export const ada = (changes: Partial<User> = {}): User => ({
  ...newPerson(
    { id: newUserId(NOW), email: 'ada@example.com', name: 'Ada', passwordHash: '$argon2id$none' },
    NOW,
  ),
  ...changes,
});

/** A session that has just begun, and lives for a day. */
export const session: Session = {
  id: 'session',
  gen: 0,
  created_at: NOW,
  rotated_at: NOW,
  expires_at: NOW + DAY,
  amr: ['pwd'],
  transport: 'body',
  client: '',
};
