import { call } from '../api.js';
import { button } from '../button.js';
import { element, foreign } from '../element.js';
import { notify } from '../notice.js';
import { forget, providerFault } from '../providers.js';
import { urlOf } from '../session.js';
import { attempt } from './attempt.js';
import { ask } from './dialog.js';
import { focusTitle, section } from './section.js';

/** @typedef {import('./section.js').Account} Account */
/** @typedef {import('./section.js').Identity} Identity */

/** @param {Identity} identity */
const link = ({ provider }) =>
  attempt(async () => {
    const return_to = urlOf(`account?linked=${provider}#identities`);
    /** @type {{ url: string }} */
    const { url } = await call('POST', `v1/me/identities/${provider}/redirect`, { return_to });
    location.assign(url);
  });

/** @param {Account} account @param {Identity} identity @param {() => void} onGone */
async function unlink(account, { provider, name }, onGone) {
  const isDone = await ask({
    title: `Unlink ${name}?`,
    text: [
      element(
        'p',
        {},
        'It no longer signs in here, and you are signed out on your other devices. Your account there stays as it is.',
      ),
    ],
    fields: [],
    action: 'Unlink',
    isDangerous: true,
    send: () => call('DELETE', `v1/me/identities/${provider}`),
  });
  if (!isDone) return;
  await account.reload();
  notify(`${name} no longer signs in here.`);
  onGone();
}

/** @param {Identity} identity @param {HTMLElement} action */
const itemOf = ({ provider, name, linked }, action) =>
  element(
    'li',
    { class: 'device', id: `identity-${provider}` },
    element(
      'p',
      { class: 'name' },
      foreign(name),
      ...(linked ? [' ', element('span', { class: 'badge ok' }, 'Linked')] : []),
    ),
    element('div', { class: 'actions' }, action),
  );

/** Says how the way to a provider has ended, from which the user has come back.
 *
 * @param {Identity[]} identities
 */
function sayHowItEnded(identities) {
  const fault = providerFault();
  const slot = new URLSearchParams(location.search).get('linked');
  const linked = identities.find(({ provider, linked }) => provider === slot && linked);
  forget('error', 'linked');
  if (fault) notify(fault, 'error');
  else if (linked) notify(`You can now sign in with ${linked.name}.`);
}

/**
 * The accounts elsewhere that sign in here. Hidden where there are none.
 *
 * @param {Account} account
 * @returns {import('./section.js').Section}
 */
export function identitiesSection(account) {
  const list = element('ul', { class: 'list' });
  const node = section(
    'identities',
    'Other sign-ins',
    element('p', {}, 'An account that you have elsewhere can sign you in here, too.'),
    list,
  );
  let isSaid = false;
  /** @type {import('./section.js').Section} */
  const self = {
    node,
    show: ({ identities }) => {
      node.hidden = identities.length === 0;
      list.replaceChildren(
        ...identities.map((identity) => {
          const { name, linked } = identity;
          const action = linked
            ? button('Unlink', () => unlink(account, identity, () => focusTitle(self)))
            : button('Link', () => link(identity));
          action.setAttribute('aria-label', `${linked ? 'Unlink' : 'Link'} ${name}`);
          return itemOf(identity, action);
        }),
      );
      if (!isSaid) sayHowItEnded(identities);
      isSaid = true;
    },
  };
  return self;
}
