import { z } from 'zod';
import { CustomClaims, NewCustomClaims } from './custom-claims.ts';
import { Name, NewEmail, Password, Roles, Time } from './fields.ts';

const Status = z.enum(['active', 'disabled']).meta({ id: 'UserStatus' });

const example = {
  id: '01990d6e-7c3f-7a51-9c6b-0c1d2e3f4a5b',
  email: 'ada@example.com',
  email_verified: true,
  name: 'Ada Lovelace',
  roles: ['admin'],
  status: 'active' as const,
  password: true,
  passkeys: 2,
  providers: ['Google'],
  mfa: true,
  sessions: 2,
  created_at: '2026-11-23T18:00:00.000Z',
  updated_at: '2026-11-23T18:00:00.000Z',
  last_login_at: '2026-11-23T18:00:00.000Z',
  claims: { plan: 'pro' },
};

/** What an administrator may see of a user. */
export const UserView = z
  .object({
    id: z.string(),
    email: z.string(),
    email_verified: z.boolean(),
    name: z.string().nullable(),
    roles: z.array(z.string()),
    status: Status,
    password: z.boolean().describe('Whether the user has chosen a password.'),
    passkeys: z.int().min(0).max(1000).describe('How many passkeys the user has.'),
    providers: z
      .array(z.string())
      .max(4)
      .describe(
        'The outside providers that the user is linked with, by name; one that is not configured any more, by its issuer.',
      ),
    mfa: z.boolean().describe('Whether the second factor is on.'),
    sessions: z.int().min(0).max(1000).describe('How many live sessions the user has.'),
    created_at: Time,
    updated_at: Time,
    last_login_at: Time.nullable(),
    claims: CustomClaims,
  })
  .meta({ id: 'User', description: 'A user, as administrators see it.', examples: [example] });
export type UserView = z.infer<typeof UserView>;

const limit = z
  .string()
  .regex(/^[1-9]\d{0,2}$/, { error: 'must be a whole number from 1 to 100' })
  .transform(Number)
  .pipe(z.number().max(100, { error: 'must be a whole number from 1 to 100' }))
  .default(50)
  // A number in the document, which every client writes as these digits. The pattern is of the text.
  .meta({
    description: 'How many rows a page has. Without it: 50.',
    type: 'integer',
    minimum: 1,
    maximum: 100,
    pattern: undefined,
  });

const idCursor = z.uuid({ error: 'is not a valid cursor' });
const CURSOR = 'The `next_cursor` of the previous page.';

export const PageQuery = z.strictObject({ limit, cursor: idCursor.optional().describe(CURSOR) });

export const UsersQuery = z
  .strictObject({
    limit,
    cursor: z
      .string()
      .max(12_288)
      .regex(/^[A-Za-z0-9_-]+$/, { error: 'is not a valid cursor', abort: true })
      .optional()
      .describe(CURSOR),
    email: z
      .string()
      .min(1)
      .max(254)
      // Not a regex: it would need the u flag, which a pattern in OpenAPI cannot state.
      .refine((text) => !/\p{Cc}/u.test(text), { error: 'must be a single line of text' })
      .optional()
      .describe('The start of an address: only users whose address begins with it are listed.'),
  })
  // The cursor of a search has another format, which `pages.ts` checks.
  .refine(
    ({ cursor, email }) => email !== undefined || idCursor.optional().safeParse(cursor).success,
    {
      path: ['cursor'],
      error: 'is not a valid cursor',
    },
  );

const next_cursor = z.string().nullable().describe('For the next page. `null` on the last page.');

export const UsersPage = z.object({ users: z.array(UserView), next_cursor }).meta({
  id: 'Users',
  description: 'A page of users.',
  examples: [{ users: [example], next_cursor: null }],
});

const password = Password.optional().describe(
  'Instead of a recent sign-in or step-up: your password. If you are a service account, your client secret, always.',
);

export const NewUser = z
  .strictObject({
    email: NewEmail,
    name: Name.optional(),
    roles: Roles.optional(),
    claims: NewCustomClaims.optional(),
    password,
  })
  .meta({
    id: 'NewUser',
    description: 'Who is invited.',
    examples: [{ email: 'grace@example.com', name: 'Grace Hopper', roles: ['editor'] }],
  });

export const UserAmendment = z
  .strictObject({
    name: Name.nullable().optional(),
    roles: Roles.optional(),
    status: Status.optional(),
    claims: NewCustomClaims.optional(),
    password,
  })
  .meta({
    id: 'UserAmendment',
    description: 'What changes; the rest stays.',
    examples: [{ roles: ['editor'], status: 'active' }],
  });

const service = {
  client_id: '01990d6e-7c3f-7a51-9c6b-0c1d2e3f4a5b',
  name: 'nightly report',
  roles: ['reports:read'],
  claims: { region: 'eu' },
  created_at: '2026-11-23T18:00:00.000Z',
};

export const NewServiceAccount = z
  .strictObject({
    name: Name,
    roles: Roles.default([]),
    claims: NewCustomClaims.optional(),
    password,
  })
  .meta({
    id: 'NewServiceAccount',
    description: 'The service account to create.',
    examples: [
      { name: service.name, roles: service.roles, password: 'correct horse battery staple' },
    ],
  });

export const NewSecret = z.strictObject({ password }).meta({
  id: 'NewSecret',
  description: 'The proof that a new secret needs.',
  examples: [{ password: 'correct horse battery staple' }],
});

export const ServiceAccountView = z
  .object({
    client_id: z.string(),
    name: z.string(),
    roles: z.array(z.string()),
    claims: CustomClaims,
    created_at: Time,
  })
  .meta({
    id: 'ServiceAccount',
    description: 'An account for a program instead of a person.',
    examples: [service],
  });

export const ServiceAccountWithSecret = ServiceAccountView.extend({
  client_secret: z.string().describe('Shown only once.'),
}).meta({
  id: 'ServiceAccountWithSecret',
  description: 'A service account with its new secret.',
  examples: [{ ...service, client_secret: 'kJ0mUyxN6yD0rQ8mJkq8m2b1Z6m3wq1o2m3n4b5v6c7' }],
});

export const ServiceAccountsPage = z
  .object({ service_accounts: z.array(ServiceAccountView), next_cursor })
  .meta({
    id: 'ServiceAccounts',
    description: 'A page of service accounts.',
    examples: [{ service_accounts: [service], next_cursor: null }],
  });
