import { z } from 'zod';
import { Time } from './fields.ts';

/** What users may read about themselves. */
export const Profile = z
  .object({
    id: z.string(),
    email: z.string(),
    email_verified: z.boolean(),
    name: z.string().nullable(),
    roles: z.array(z.string()),
    password: z.boolean().describe('Whether the user has chosen a password.'),
    mfa: z.boolean().describe('Whether the second factor is on.'),
    recovery_codes: z.int().min(0).max(100).describe('How many recovery codes are left.'),
    created_at: Time,
    last_login_at: Time.nullable(),
  })
  .meta({
    id: 'Profile',
    description: 'The signed-in user.',
    examples: [
      {
        id: '01990d6e-7c3f-7a51-9c6b-0c1d2e3f4a5b',
        email: 'ada@example.com',
        email_verified: false,
        name: 'Ada Lovelace',
        roles: [],
        password: true,
        mfa: true,
        recovery_codes: 10,
        created_at: '2026-11-23T18:00:00.000Z',
        last_login_at: '2026-11-23T18:00:00.000Z',
      },
    ],
  });
export type Profile = z.infer<typeof Profile>;
