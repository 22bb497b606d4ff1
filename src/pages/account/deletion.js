import { call } from '../api.js';
import { button } from '../button.js';
import { element } from '../element.js';
import { ask } from './dialog.js';
import { passwordFields, tick } from './fields.js';
import { withPassword } from './no-password.js';
import { section } from './section.js';

/** @param {import('./section.js').Account} account */
async function deleteAccount(account) {
  const isDone = await ask({
    title: 'Delete your account?',
    text: [
      element(
        'p',
        {},
        'Your data is deleted at once, and every device is signed out. Nobody can bring the account back.',
      ),
    ],
    fields: [
      ...passwordFields(account.state.me.email),
      tick(
        'sure',
        'Delete my account and all its data',
        'Tick this box if you want to delete your account.',
      ),
    ],
    action: 'Delete account',
    isDangerous: true,
    errors: { wrong_password: 'password' },
    send: async ({ password }) => {
      await call('DELETE', 'v1/me', { password });
    },
  });
  if (isDone) account.bidFarewell();
}

/**
 * @param {import('./section.js').Account} account
 * @returns {import('./section.js').Section}
 */
export function deletion(account) {
  return {
    node: section(
      'deletion',
      'Delete account',
      element('p', {}, 'Deletes your account and all its data, for good.'),
      element(
        'div',
        { class: 'actions' },
        button('Delete account', () => withPassword(account, deleteAccount), 'button plain danger'),
      ),
    ),
    show: () => {},
  };
}
