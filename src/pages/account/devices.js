import { call } from '../api.js';
import { button } from '../button.js';
import { element, foreign } from '../element.js';
import { notify } from '../notice.js';
import { client } from '../session.js';
import { codeOf } from '../words.js';
import { deviceNameOf, withoutBoilerplate } from './device-name.js';
import { ask } from './dialog.js';
import { focusTitle, readSessions, section } from './section.js';
import { timeAgo } from './time.js';

/** How a session was signed in, by the first value of its `amr`: a later proof or a second factor stands behind it.
 *
 * @type {Map<string | undefined, string>}
 */
const WAYS = new Map([
  ['pwd', ' with a password'],
  ['otp', ' with a code by mail'],
  ['hwk', ' with a passkey'],
  ['swk', ' with a passkey'],
  ['fed', ' with an account elsewhere'],
]);

/** @typedef {import('./section.js').State['sessions'][number]} Device */

/** Does nothing if the session has ended already.
 *
 * @param {Device} device
 */
async function end({ id }) {
  try {
    await call('DELETE', `v1/me/sessions/${encodeURIComponent(id)}`);
  } catch (error) {
    if (codeOf(error) !== 'not_found') throw error;
  }
}

/** @param {import('./section.js').Account} account */
async function endOthers(account) {
  const isDone = await ask({
    title: 'Sign out your other devices?',
    text: [element('p', {}, 'They have to sign in again. This device stays signed in.')],
    fields: [],
    action: 'Sign them out',
    send: async () => {
      // The page may be hours old.
      const { sessions } = await readSessions();
      for (const device of sessions) if (!device.current) await end(device);
    },
  });
  // Also after Cancel: some of them may be signed out.
  await account.reload();
  if (isDone) notify('All your other devices are signed out.');
}

async function endAll() {
  const isDone = await ask({
    title: 'Sign out everywhere?',
    text: [element('p', {}, 'This device is signed out too.')],
    fields: [],
    action: 'Sign out everywhere',
    send: async () => {
      await call('DELETE', 'v1/me/sessions');
    },
  });
  if (isDone) await client.logout();
}

/**
 * @param {Device} device
 * @param {() => Promise<void>} signOut
 */
function itemOf(device, signOut) {
  const name = deviceNameOf(device.client);
  const signOutButton = button('Sign out', signOut);
  signOutButton.setAttribute(
    'aria-label',
    device.current ? 'Sign out this device' : `Sign out ${name}`,
  );
  return element(
    'li',
    { class: 'device', id: `device-${device.id}` },
    element(
      'div',
      {},
      element(
        'p',
        { class: 'name' },
        foreign(name),
        ...(device.current ? [' ', element('span', { class: 'badge ok' }, 'This device')] : []),
      ),
      ...(name === device.client || device.client.trim() === ''
        ? []
        : [
            element(
              'p',
              { class: 'hint client', title: device.client },
              foreign(withoutBoilerplate(device.client)),
            ),
          ]),
      element(
        'p',
        { class: 'hint' },
        'Signed in ',
        timeAgo(device.created_at),
        WAYS.get(device.amr[0]) ?? '',
        ', last active ',
        timeAgo(device.refreshed_at),
      ),
    ),
    signOutButton,
  );
}

/** This device, then the others: those that were active last first.
 *
 * @param {Device} a
 * @param {Device} b
 */
const byUse = (a, b) =>
  Number(b.current) - Number(a.current) || b.refreshed_at.localeCompare(a.refreshed_at);

/**
 * @param {import('./section.js').Account} account
 * @returns {import('./section.js').Section}
 */
export function devices(account) {
  const list = element('ul', { class: 'list' });
  const others = button('Sign out other devices', () => endOthers(account));
  const node = section(
    'devices',
    'Devices',
    element(
      'p',
      {},
      'These devices are signed in to your account. If you do not know one of them, sign it out and change your password.',
    ),
    list,
    element('div', { class: 'actions' }, others, button('Sign out everywhere', endAll)),
  );
  /** @param {Device} device */
  const signOut = async (device) => {
    if (device.current) return client.logout();
    await end(device);
    await account.reload();
    notify(`${deviceNameOf(device.client)} is signed out.`);
    // Its button has gone.
    focusTitle(self);
  };
  /** @type {import('./section.js').Section} */
  const self = {
    node,
    show: ({ sessions }) => {
      const focused = document.activeElement?.closest('.device')?.id;
      list.replaceChildren(
        ...[...sessions].sort(byUse).map((device) => itemOf(device, () => signOut(device))),
      );
      if (focused) document.getElementById(focused)?.querySelector('button')?.focus();
      others.hidden = sessions.length < 2;
    },
  };
  return self;
}
