import type { Page } from 'playwright-core';
import type { User } from '../../src/schemas/user.ts';
import { storedPasskey } from '../passkeys.ts';
import { factor, serviceAccount, signedIn } from '../people.ts';
import { PASSWORD } from '../test-app.ts';
import { openUser, rowOf } from './administration.ts';
import type { Visited } from './visitor.ts';

const ROOT = 'root@harbour.example';

const HOUR = 3_600_000;

/** Name, address, and what else is known; `hours` since the last sign-in. */
const PEOPLE: [name: string | null, local: string, changes: Partial<User>, hours?: number][] = [
  ['Alan Turing', 'alan', { roles: ['editor'] }, 5],
  ['Edsger Dijkstra', 'edsger', { status: 'disabled' }, 960],
  ['Grace Hopper', 'grace', { roles: ['editor', 'reports:read'] }, 52],
  [null, 'kathleen', {}],
  ['Margaret Hamilton', 'root', { roles: ['admin'] }, 1],
];

/** Puts the people and a service account into the table, once. */
async function populate(service: Visited): Promise<void> {
  if (await service.context.users.findByEmail(ROOT)) return;
  const { mfa } = factor(service, { id: 'grace' });
  for (const [name, local, changes, hours] of PEOPLE) {
    service.clock.advance(1);
    await signedIn(service, `${local}@harbour.example`, {
      name,
      ...(hours && { last_login_at: service.clock.now - hours * HOUR }),
      ...(local === 'grace' && { mfa, passkeys: [storedPasskey('x'), storedPasskey('y')] }),
      email_verified_at: service.clock.now,
      ...changes,
    });
  }
  await serviceAccount(service, ['reports:read']);
}

/** Opens `/admin` as an administrator. */
async function administer(page: Page, service: Visited, fragment = ''): Promise<void> {
  await populate(service);
  await page.goto(`${service.url}/login?next=/admin${encodeURIComponent(fragment)}`);
  await page.getByLabel('Email address').fill(ROOT);
  await page.locator('#password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page
    .locator(fragment ? '#accounts-rows tr' : '#users-rows tr')
    .first()
    .waitFor();
}

/** The pictures of `/admin`, for `screenshots.ts`. */
export const ADMIN_PICTURES = [
  { name: 'admin', arrive: administer },
  {
    name: 'admin-user',
    arrive: async (page: Page, service: Visited) => {
      await administer(page, service);
      await rowOf(page, 'grace@harbour.example').waitFor();
      await openUser(page, 'grace@harbour.example');
    },
  },
  {
    name: 'admin-delete',
    arrive: async (page: Page, service: Visited) => {
      await administer(page, service);
      const panel = await openUser(page, 'kathleen@harbour.example');
      await panel.getByRole('button', { name: 'Delete' }).click();
    },
  },
  {
    name: 'admin-invite',
    arrive: async (page: Page, service: Visited) => {
      await administer(page, service);
      await page.getByRole('button', { name: 'Invite a user' }).click();
      await page.locator('#invitation-email').fill('katherine@harbour.example');
      await page.locator('#invitation-roles').fill('admin, editor');
    },
  },
  {
    name: 'admin-service-accounts',
    arrive: async (page: Page, service: Visited) => administer(page, service, '#accounts'),
  },
  {
    name: 'admin-secret',
    arrive: async (page: Page, service: Visited) => {
      await administer(page, service, '#accounts');
      await page.getByRole('button', { name: 'Create a service account' }).click();
      await page.locator('#new-account-name').fill('nightly report');
      await page.locator('#new-account-roles').fill('reports:read');
      await page.locator('#new-account-password').fill(PASSWORD);
      await page.keyboard.press('Enter');
      await page.locator('dialog#secret').waitFor();
    },
  },
];
