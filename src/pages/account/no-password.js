import { element } from '../element.js';
import { urlOf } from '../session.js';
import { ask } from './dialog.js';

const PAGE = urlOf('forgot-password');

/** Leads to where a user without a password gets a link to choose one. */
export const passwordLink = () =>
  element('a', { class: 'button plain', href: PAGE }, 'Choose a password');

/**
 * Goes on with what asks for the password. A user who has none learns how to choose one instead.
 *
 * @param {import('./section.js').Account} account
 * @param {(account: import('./section.js').Account) => Promise<void>} work
 */
export async function withPassword(account, work) {
  if (account.state.me.password) return work(account);
  await ask({
    title: 'Choose a password first',
    text: [
      element(
        'p',
        {},
        'This needs your password, and you have none yet. We mail you a link to choose one. When you do, every device is signed out.',
      ),
    ],
    fields: [],
    action: 'Choose a password',
    send: async () => location.assign(PAGE),
  });
}
