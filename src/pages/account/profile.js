import { call } from '../api.js';
import { button } from '../button.js';
import { element, foreign } from '../element.js';
import { notify } from '../notice.js';
import { ask } from './dialog.js';
import { field, passwordFields } from './fields.js';
import { withPassword } from './no-password.js';
import { section } from './section.js';
import { day, timeAgo } from './time.js';

/** @param {import('./section.js').Account} account */
async function rename(account) {
  const { name } = account.state.me;
  const isDone = await ask({
    title: 'Change your name',
    fields: [
      field({
        name: 'name',
        label: 'Name',
        hint: 'Leave it empty to remove it.',
        autocomplete: 'name',
        maxlength: 100,
        required: false,
        value: name ?? '',
      }),
    ],
    action: 'Save',
    send: async (values) => {
      await call('PATCH', 'v1/me', { name: values['name']?.trim() || null });
    },
  });
  if (!isDone) return;
  notify('Your name is saved.');
  await account.reload();
}

/** @param {import('./section.js').Account} account */
async function changeAddress({ state: { me } }) {
  let address = '';
  const isDone = await ask({
    title: 'Change your email address',
    text: [
      element(
        'p',
        {},
        'We send a link to the new address. It takes the place of ',
        foreign(me.email),
        ' when you open that link. We also tell the old address.',
      ),
    ],
    fields: [
      field({
        name: 'email',
        label: 'New email address',
        type: 'email',
        autocomplete: 'email',
        maxlength: 254,
        'data-missing': 'Enter your new email address.',
      }),
      ...passwordFields(me.email),
    ],
    action: 'Send the link',
    errors: { wrong_password: 'password' },
    send: async ({ email, password }) => {
      await call('PUT', 'v1/me/email', { email, password });
      address = String(email);
    },
  });
  if (isDone)
    notify(
      `We have sent a link to ${address}. Until you open it, your address stays the same. We have told the old address.`,
    );
}

/** @param {import('./section.js').Account} account */
async function confirmAddress({ state: { me } }) {
  const isDone = await ask({
    title: 'Confirm your email address',
    text: [element('p', {}, 'We send a link to ', foreign(me.email), '.')],
    fields: passwordFields(me.email),
    action: 'Send the link',
    errors: { wrong_password: 'password' },
    send: async ({ password }) => {
      await call('PUT', 'v1/me/email', { email: me.email, password });
    },
  });
  if (isDone) notify(`We have sent a link to ${me.email}. Open it to confirm your address.`);
}

/**
 * @param {import('./section.js').Account} account
 * @returns {import('./section.js').Section}
 */
export function profile(account) {
  const name = element('dd');
  const address = element('dd');
  const confirm = button('Confirm this address', () => withPassword(account, confirmAddress));
  const since = element('dd');
  const last = element('dd');
  const node = section(
    'profile',
    'Profile',
    element(
      'dl',
      { class: 'facts' },
      element('div', {}, element('dt', {}, 'Name'), name),
      element('div', {}, element('dt', {}, 'Email address'), address),
      element('div', {}, element('dt', {}, 'Member since'), since),
      element('div', {}, element('dt', {}, 'Last sign-in'), last),
    ),
    element(
      'div',
      { class: 'actions' },
      button('Change name', () => rename(account)),
      button('Change address', () => withPassword(account, changeAddress)),
      confirm,
    ),
  );
  return {
    node,
    show: ({ me }) => {
      name.replaceChildren(me.name === null ? 'Not set' : foreign(me.name));
      address.replaceChildren(
        foreign(me.email),
        ' ',
        element(
          'span',
          { class: me.email_verified ? 'badge ok' : 'badge warning' },
          me.email_verified ? 'Confirmed' : 'Not confirmed',
        ),
      );
      confirm.hidden = me.email_verified;
      since.replaceChildren(day(me.created_at));
      last.replaceChildren(me.last_login_at === null ? 'Never' : timeAgo(me.last_login_at));
    },
  };
}
