import { button } from '../button.js';
import { element } from '../element.js';
import { notify } from '../notice.js';
import { client, settings } from '../session.js';
import { ask } from './dialog.js';
import { field, passwordFields } from './fields.js';
import { passwordLink } from './no-password.js';
import { section } from './section.js';

/** @param {import('./section.js').Account} account */
async function changePassword(account) {
  const { passwordMinLength } = settings;
  const isDone = await ask({
    title: 'Change your password',
    fields: [
      ...passwordFields(account.state.me.email, {
        name: 'current_password',
        label: 'Current password',
      }),
      field({
        name: 'new_password',
        label: 'New password',
        hint: `At least ${passwordMinLength} characters. A few words that do not belong together are easy to remember.`,
        type: 'password',
        autocomplete: 'new-password',
        minlength: passwordMinLength,
        maxlength: 1_024,
        'data-missing': 'Choose a new password.',
      }),
    ],
    action: 'Change password',
    errors: { wrong_password: 'current_password' },
    send: ({ current_password = '', new_password = '' }) =>
      client.changePassword({ current_password, new_password }),
  });
  if (!isDone) return;
  notify('Your password is changed. All other devices were signed out.');
  await account.reload();
}

/**
 * @param {import('./section.js').Account} account
 * @returns {import('./section.js').Section}
 */
export function password(account) {
  const text = element('p');
  const change = button('Change password', () => changePassword(account));
  const choose = passwordLink();
  return {
    node: section(
      'password',
      'Password',
      text,
      element('div', { class: 'actions' }, change, choose),
    ),
    show: ({ me }) => {
      text.textContent = me.password
        ? 'A new password signs out all your other devices.'
        : 'You have no password yet. We mail you a link to choose one. When you do, every device is signed out.';
      change.hidden = !me.password;
      choose.hidden = me.password;
    },
  };
}
