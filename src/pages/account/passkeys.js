import { button } from '../button.js';
import { element, foreign } from '../element.js';
import { notify } from '../notice.js';
import { passkeys, whatWentWrong } from '../passkeys.js';
import { attempt } from './attempt.js';
import { deviceNameOf } from './device-name.js';
import { ask } from './dialog.js';
import { field } from './fields.js';
import { focusTitle, section } from './section.js';
import { timeAgo } from './time.js';

/** @typedef {import('../client-passkeys.js').Passkey} Passkey */
/** @typedef {import('./section.js').Account} Account */

/** As many as the service takes. */
const MOST = 10;

/** @param {Account} account */
const add = (account) =>
  attempt(async () => {
    const { name } = await passkeys.add(deviceNameOf(navigator.userAgent).slice(0, 100));
    await account.reload();
    notify(`You can now sign in with the passkey “${name}”.`);
  }, whatWentWrong);

/** @param {Account} account @param {Passkey} passkey */
async function rename(account, { id, name }) {
  const isDone = await ask({
    title: 'Rename the passkey',
    fields: [
      field({ name: 'name', label: 'Name', value: name, maxlength: 100, autocomplete: 'off' }),
    ],
    action: 'Save',
    send: async (values) => {
      await passkeys.rename(id, values['name'] ?? '');
    },
  });
  if (!isDone) return;
  await account.reload();
  notify('The passkey has a new name.');
}

/** @param {Account} account @param {Passkey} passkey @param {() => void} onGone */
async function remove(account, { id, name }, onGone) {
  const text = [
    foreign(name),
    ' no longer signs in, and you are signed out on your other devices. Remove it from your device too: the service cannot.',
  ];
  const isDone = await ask({
    title: 'Remove this passkey?',
    text: [element('p', {}, ...text)],
    fields: [],
    action: 'Remove',
    isDangerous: true,
    send: () => passkeys.remove(id),
  });
  if (!isDone) return;
  await account.reload();
  notify(`The passkey “${name}” is removed.`);
  onGone();
}

/** @param {Passkey} passkey @param {HTMLElement[]} buttons */
const itemOf = ({ id, name, backed_up, created_at, last_used_at }, buttons) =>
  element(
    'li',
    { class: 'device', id: `passkey-${id}` },
    element(
      'div',
      {},
      element(
        'p',
        { class: 'name' },
        foreign(name),
        ...(backed_up ? [' ', element('span', { class: 'badge' }, 'Synced')] : []),
      ),
      element(
        'p',
        { class: 'hint' },
        'Added ',
        timeAgo(created_at),
        ...(last_used_at ? [', last used ', timeAgo(last_used_at)] : [', never used']),
      ),
    ),
    element('div', { class: 'actions' }, ...buttons),
  );

/** @param {string} text @param {string} label @param {() => Promise<unknown>} work */
function named(text, label, work) {
  const made = button(text, work);
  made.setAttribute('aria-label', label);
  return made;
}

/**
 * @param {Account} account
 * @returns {import('./section.js').Section}
 */
export function passkeysSection(account) {
  const list = element('ul', { class: 'list' });
  const adding = button('Add a passkey', () => add(account));
  const node = section(
    'passkeys',
    'Passkeys',
    element(
      'p',
      {},
      'A passkey signs you in with your fingerprint, your face or the PIN of your device, without your password.',
    ),
    list,
    element('div', { class: 'actions' }, adding),
  );
  /** @type {import('./section.js').Section} */
  const self = {
    node,
    show: ({ passkeys: own }) => {
      list.hidden = own.length === 0;
      list.replaceChildren(
        ...own.map((passkey) =>
          itemOf(passkey, [
            named('Rename', `Rename ${passkey.name}`, () => rename(account, passkey)),
            named('Remove', `Remove ${passkey.name}`, () =>
              remove(account, passkey, () => focusTitle(self)),
            ),
          ]),
        ),
      );
      adding.hidden = !passkeys.isSupported || own.length >= MOST;
    },
  };
  return self;
}
