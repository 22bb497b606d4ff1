import {
  deleteUser,
  endUserSessions,
  removeUserPasskeys,
  resetUserMfa,
  unlinkUserIdentities,
} from './operations.js';

/** @typedef {import('./operations.js').User} User */
/** @typedef {import('./question.js').Question} Question */

/**
 * What an action can use: `amend` sends a PATCH, `reread` shows the user anew, `leave` closes the panel.
 *
 * @typedef {object} Means
 * @property {User} user
 * @property {(change: (user: User) => object) => Promise<void>} amend
 * @property {() => Promise<void>} reread
 * @property {(text: string) => Promise<void>} leave
 * @property {string | undefined} password
 */

/**
 * A question, what is done after a yes, and what is said then.
 *
 * @typedef {Omit<Question, 'act'> & { act: (means: Means) => Promise<unknown>, done: string }} Action
 */

/** For users who are left with no other way in. */
const LAST =
  ' The user has no other way in: afterwards, it takes a code by mail or a new password.';
const TOKENS = 'Access tokens that are in use are refused within a second.';

/** @param {User} user */
const isAdmin = ({ roles }) => roles.includes('admin');

/** @param {string} role @returns {Action} */
export const roleRemoval = (role) => ({
  title: `Remove the role ${role}?`,
  text: [`${TOKENS} The user stays signed in, and gets new tokens without this role.`],
  action: 'Remove role',
  act: ({ amend }) => amend(({ roles }) => ({ roles: roles.filter((each) => each !== role) })),
  done: `The role ${role} is removed.`,
});

/**
 * By the name of the button.
 *
 * @type {Record<'disable' | 'enable' | 'end-sessions' | 'remove-factor' | 'remove-passkeys' | 'unlink-providers' | 'delete', (user: User) => Action>}
 */
export const actionsOn = {
  disable: () => ({
    title: 'Disable this user?',
    text: [`The user is signed out everywhere and cannot sign in again. ${TOKENS}`],
    action: 'Disable',
    act: ({ amend }) => amend(() => ({ status: 'disabled' })),
    done: 'The user is disabled.',
  }),
  enable: (user) => ({
    title: 'Enable this user?',
    text: [
      isAdmin(user)
        ? 'The user can sign in again, as an administrator. This page always asks for your password first.'
        : 'The user can sign in again.',
    ],
    action: 'Enable',
    password: isAdmin(user),
    act: ({ amend, password }) =>
      amend(() => ({ status: 'active', ...(password && { password }) })),
    done: 'The user is enabled.',
  }),
  'end-sessions': () => ({
    title: 'End all sessions?',
    text: [`The user is signed out everywhere, and can sign in again. ${TOKENS}`],
    action: 'End all sessions',
    act: async ({ user, reread }) => {
      await endUserSessions(user.id);
      await reread();
    },
    done: 'All sessions have ended.',
  }),
  'remove-factor': () => ({
    title: 'Remove the second factor?',
    text: [
      'This is for users who have lost both the device and the recovery codes. Make sure first that the request comes from the owner of the account: afterwards, signing in takes no code any more. The user is signed out everywhere, and gets a mail.',
    ],
    action: 'Remove second factor',
    act: async ({ user, reread }) => {
      await resetUserMfa(user.id);
      await reread();
    },
    done: 'The second factor is removed, and all sessions have ended.',
  }),
  'remove-passkeys': ({ password, providers }) => ({
    title: 'Remove all passkeys?',
    text: [
      'This is for users who have lost them, or if a stranger may have added one. No passkey signs in any more, and the user is signed out everywhere and gets a mail.',
      ...(password || providers.length > 0 ? [] : [LAST]),
    ],
    action: 'Remove passkeys',
    act: async ({ user, reread }) => {
      await removeUserPasskeys(user.id);
      await reread();
    },
    done: 'All passkeys are removed, and all sessions have ended.',
  }),
  'unlink-providers': ({ password, passkeys }) => ({
    title: 'Unlink all providers?',
    text: [
      'This is for users who have lost their account there, or if a stranger may have linked one. No provider signs in until the user links it again, and the user is signed out everywhere and gets a mail.',
      ...(password || passkeys > 0 ? [] : [LAST]),
    ],
    action: 'Unlink providers',
    act: async ({ user, reread }) => {
      await unlinkUserIdentities(user.id);
      await reread();
    },
    done: 'All providers are unlinked, and all sessions have ended.',
  }),
  delete: ({ email }) => ({
    title: 'Delete this user?',
    text: [
      'This deletes the account and its personal data, signs the user out everywhere, and sends them a mail. It cannot be undone.',
    ],
    action: 'Delete user',
    typed: email,
    act: async ({ user, leave }) => {
      await deleteUser(user.id);
      await leave(`${user.email} is deleted.`);
    },
    done: '',
  }),
};
