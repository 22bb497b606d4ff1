import { z } from 'zod';
import { Name, NewEmail, Password, Roles, Time } from './fields.ts';

const example = {
  id: '01990d6e-7c3f-7a51-9c6b-0c1d2e3f4a5b',
  email: 'ada@example.com',
  email_verified: true,
  name: 'Ada Lovelace',
  roles: ['admin'],
  status: 'active' as const,
  mfa: true,
  sessions: 2,
  created_at: '2026-11-23T18:00:00.000Z',
  updated_at: '2026-11-23T18:00:00.000Z',
  last_login_at: '2026-11-23T18:00:00.000Z',
};

/** What an administrator may see of a user. */
export const UserView = z
  .object({
    id: z.string(),
    email: z.string(),
    email_verified: z.boolean(),
    name: z.string().nullable(),
    roles: z.array(z.string()),
    status: z.enum(['active', 'disabled']),
    mfa: z.boolean().describe('Whether a second factor is in force.'),
    sessions: z.int().min(0).max(1000).describe('Live ones.'),
    created_at: Time,
    updated_at: Time,
    last_login_at: Time.nullable(),
  })
  .meta({ id: 'User', description: 'A user, as an administrator sees one.', examples: [example] });
export type UserView = z.infer<typeof UserView>;

const limit = z
  .string()
  .regex(/^[1-9]\d{0,2}$/, { error: 'must be a whole number from 1 to 100' })
  .transform(Number)
  .pipe(z.number().max(100, { error: 'must be a whole number from 1 to 100' }))
  .optional()
  .describe('Rows a page, 50 unless told.');

const idCursor = z.uuid({ error: 'is not a cursor of ours' });
const CURSOR = '`next_cursor` of the page before.';

export const PageQuery = z.strictObject({ limit, cursor: idCursor.optional().describe(CURSOR) });

export const UsersQuery = z
  .strictObject({
    limit,
    cursor: z
      .string()
      .max(12_288)
      .regex(/^[A-Za-z0-9_-]+$/, { error: 'is not a cursor of ours', abort: true })
      .optional()
      .describe(CURSOR),
    email: z
      .string()
      .min(1)
      .max(254)
      // No pattern in the document: not every reader of it takes the flag that \p needs.
      .refine((text) => !/\p{Cc}/u.test(text), { error: 'must be one line of text' })
      .optional()
      .describe('The beginning of an address.'),
  })
  // What a cursor of a search is made of only the search knows.
  .refine(
    ({ cursor, email }) => email !== undefined || idCursor.optional().safeParse(cursor).success,
    {
      path: ['cursor'],
      error: 'is not a cursor of ours',
    },
  );

const next_cursor = z.string().nullable().describe('null: this was the last page.');

export const UsersPage = z
  .object({ users: z.array(UserView), next_cursor })
  .meta({ id: 'Users', examples: [{ users: [example], next_cursor: null }] });

/** The administrator's own: what outlives an access token is not made with the access token alone. */
const password = Password.describe(
  'Your own password, or the secret of the service account that asks.',
);
const passwordForAdmin = password
  .optional()
  .describe(
    'Your own password, or the secret of the service account that asks. Needed to make an administrator.',
  );

export const NewUser = z
  .strictObject({
    email: NewEmail,
    name: Name.optional(),
    roles: Roles.optional(),
    password: passwordForAdmin,
  })
  .meta({ examples: [{ email: 'grace@example.com', name: 'Grace Hopper', roles: ['editor'] }] });

export const UserAmendment = z
  .strictObject({
    name: Name.nullable().optional(),
    roles: Roles.optional(),
    status: z.enum(['active', 'disabled']).optional(),
    password: passwordForAdmin,
  })
  .meta({ examples: [{ roles: ['editor'], status: 'active' }] });

const service = {
  client_id: '01990d6e-7c3f-7a51-9c6b-0c1d2e3f4a5b',
  name: 'nightly report',
  roles: ['reports:read'],
  created_at: '2026-11-23T18:00:00.000Z',
};

export const NewServiceAccount = z
  .strictObject({ name: Name, roles: Roles.default([]), password })
  .meta({
    examples: [
      { name: service.name, roles: service.roles, password: 'correct horse battery staple' },
    ],
  });

export const NewSecret = z
  .strictObject({ password })
  .meta({ examples: [{ password: 'correct horse battery staple' }] });

export const ServiceAccountView = z
  .object({ client_id: z.string(), name: z.string(), roles: z.array(z.string()), created_at: Time })
  .meta({ id: 'ServiceAccount', description: 'A machine client.', examples: [service] });

export const ServiceAccountWithSecret = ServiceAccountView.extend({
  client_secret: z.string().describe('Shown once.'),
}).meta({
  id: 'ServiceAccountWithSecret',
  description: 'A machine client with its new secret.',
  examples: [{ ...service, client_secret: 'kJ0mUyxN6yD0rQ8mJkq8m2b1Z6m3wq1o2m3n4b5v6c7' }],
});

export const ServiceAccountsPage = z
  .object({ service_accounts: z.array(ServiceAccountView), next_cursor })
  .meta({ id: 'ServiceAccounts', examples: [{ service_accounts: [service], next_cursor: null }] });
