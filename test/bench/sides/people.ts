import argon2 from 'argon2';
import { newUserId } from '../../../src/parts/ids.ts';
import { newPerson } from '../../../src/rules/accounts.ts';
import type { User } from '../../../src/schemas/user.ts';

export const PASSWORD = 'correct horse battery staple';

/** People who can sign in with this password. */
export async function people(count: number): Promise<User[]> {
  const passwordHash = await argon2.hash(PASSWORD, {
    memoryCost: 19_456,
    timeCost: 2,
    parallelism: 1,
  });
  const now = Date.now();
  return Array.from({ length: count }, (_, index) =>
    newPerson(
      { id: newUserId(now), email: `person${index}@example.com`, name: null, passwordHash },
      now,
    ),
  );
}
