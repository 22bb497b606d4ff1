import { ApiError, call } from '../api.js';

/** @typedef {import('../../schemas/administration.ts').UserView} User */
/** @typedef {import('zod').infer<typeof import('../../schemas/administration.ts').ServiceAccountView>} ServiceAccount */
/** @typedef {ServiceAccount & { client_secret: string }} ServiceAccountWithSecret */
/** @typedef {import('../../schemas/profile.ts').Profile} Profile */

/** Sent to `document` when the caller is no longer an administrator. `detail`: what the caller reads about it. */
export const NO_LONGER_ADMIN = 'latchkey:no-longer-admin';

/**
 * Somebody else has changed what a dialog shows, so a decision that was made by it is not sent. A problem of this page:
 * the API has no conditional requests.
 */
export class ChangedMeanwhile extends ApiError {
  constructor() {
    super(new Response(null, { status: 412 }), {
      code: 'changed_meanwhile',
      detail: 'Somebody else has changed this user in the meantime. Look again, then repeat.',
    });
  }
}

/** @param {string} detail */
export const loseRole = (detail) =>
  document.dispatchEvent(new CustomEvent(NO_LONGER_ADMIN, { detail }));

/** @param {unknown} error */
export const isGone = (error) => error instanceof ApiError && error.code === 'not_found';

/**
 * @template [T=undefined]
 * @param {'GET' | 'POST' | 'PATCH' | 'DELETE'} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<T>}
 */
async function administer(method, path, body) {
  try {
    return await call(method, path, body);
  } catch (error) {
    if (error instanceof ApiError && error.code === 'forbidden')
      loseRole('Your account no longer has the role admin, so your last request was refused.');
    throw error;
  }
}

/** @param {string} path @param {Record<string, string | undefined>} fields Undefined ones are left out. */
function withQuery(path, fields) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value) query.set(name, value);
  return query.size > 0 ? `${path}?${query}` : path;
}

/** @param {string} id */
const userPath = (id) => `v1/users/${encodeURIComponent(id)}`;
/** @param {string} id */
const accountPath = (id) => `v1/service-accounts/${encodeURIComponent(id)}`;

/** @returns {Promise<Profile>} */
export const readMe = () => call('GET', 'v1/me');

/**
 * @param {{ email?: string, cursor: string | undefined }} query
 * @returns {Promise<{ users: User[], next_cursor: string | null }>}
 */
export const listUsers = (query) => administer('GET', withQuery('v1/users', query));

/** @param {object} body @returns {Promise<User>} */
export const inviteUser = (body) => administer('POST', 'v1/users', body);

/** @param {string} id @returns {Promise<User>} */
export const readUser = (id) => administer('GET', userPath(id));

/** @param {string} id @param {object} body @returns {Promise<User>} */
export const amendUser = (id, body) => administer('PATCH', userPath(id), body);

/** @param {string} id */
export const deleteUser = (id) => administer('DELETE', userPath(id));

/** @param {string} id */
export const endUserSessions = (id) => administer('DELETE', `${userPath(id)}/sessions`);

/** @param {string} id */
export const resetUserMfa = (id) => administer('DELETE', `${userPath(id)}/mfa`);

/** @param {string} id */
export const removeUserPasskeys = (id) => administer('DELETE', `${userPath(id)}/passkeys`);

/** @param {string} id */
export const unlinkUserIdentities = (id) => administer('DELETE', `${userPath(id)}/identities`);

/**
 * @param {{ cursor: string | undefined }} query
 * @returns {Promise<{ service_accounts: ServiceAccount[], next_cursor: string | null }>}
 */
export const listServiceAccounts = (query) =>
  administer('GET', withQuery('v1/service-accounts', query));

/** @param {object} body @returns {Promise<ServiceAccountWithSecret>} */
export const createServiceAccount = (body) => administer('POST', 'v1/service-accounts', body);

/** @param {string} id @param {object} body @returns {Promise<ServiceAccountWithSecret>} */
export const renewServiceAccountSecret = (id, body) =>
  administer('POST', `${accountPath(id)}/secret`, body);

/** @param {string} id */
export const deleteServiceAccount = (id) => administer('DELETE', accountPath(id));
