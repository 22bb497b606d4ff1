import { call } from '../api.js';
import { byId, element, foreign } from '../element.js';
import { letPageGo } from '../leaving.js';
import { showNav } from '../nav.js';
import { passkeys } from '../passkeys.js';
import { client, goToSignIn, onStepUp, urlOf } from '../session.js';
import { sentenceOf } from '../words.js';
import { readSessions } from './section.js';
import { confirmIdentity } from './step-up.js';

/** @typedef {import('./section.js').Account} Account */
/** @typedef {import('./section.js').State} State */

const OFFLINE = 'You are offline. The page goes on when your connection is back.';

/** @returns {Promise<State>} */
async function load() {
  const [me, { sessions }, own, { identities }] = await Promise.all([
    /** @type {Promise<State['me']>} */ (call('GET', 'v1/me')),
    readSessions(),
    passkeys.list(),
    /** @type {Promise<Pick<State, 'identities'>>} */ (call('GET', 'v1/me/identities')),
  ]);
  return { me, sessions, passkeys: own, identities };
}

/** The account is gone, and with it everything on the page. */
function bidFarewell() {
  const title = element('h1', { tabindex: -1 }, 'Your account is deleted');
  document.querySelector('nav')?.remove();
  document
    .querySelector('main')
    ?.replaceChildren(
      title,
      element('p', {}, 'Every device is signed out. We send you a mail that confirms it.'),
      element('p', {}, element('a', { href: urlOf('') }, 'To the start page')),
    );
  title.focus();
}

/**
 * Fills the page for the signed-in user; others go to the sign-in page. What the sections show is loaded again when the
 * user comes back to the page, because another device may have changed it.
 *
 * @param {((account: Account) => import('./section.js').Section)[]} makers
 */
export async function openAccount(makers) {
  const place = byId('sections', HTMLElement);
  const lead = byId('lead', HTMLElement);
  const fault = byId('fault', HTMLElement);
  const faultText = byId('fault-text', HTMLElement);
  const again = byId('again', HTMLButtonElement);
  /** @type {import('./section.js').Section[]} */
  let sections = [];
  let isGone = false;
  let loads = 0;

  /** @param {string} text an empty one hides it */
  const showFault = (text) => {
    fault.hidden = text === '';
    faultText.textContent = text;
  };

  /** @type {Account} */
  const account = {
    state: /** @type {State} */ ({}),
    reload: async () => {
      loads += 1;
      const mine = loads;
      try {
        // Without a token, `onChange` has led to the sign-in page.
        if ((await client.token()) === undefined) return;
        const state = await load();
        // Of two loads at the same time, the later one counts.
        if (mine !== loads) return;
        account.state = state;
      } catch (error) {
        if (mine === loads) showFault(navigator.onLine ? sentenceOf(error) : OFFLINE);
        return;
      }
      showFault('');
      if (sections.length === 0) {
        sections = makers.map((make) => make(account));
        place.append(...sections.map(({ node }) => node));
        document.getElementById(location.hash.slice(1))?.scrollIntoView();
        showNav({ current: 'account', roles: account.state.me.roles });
      }
      lead.replaceChildren('Signed in as ', foreign(account.state.me.email));
      for (const section of sections) section.show(account.state);
    },
    bidFarewell: () => {
      isGone = true;
      // The other tabs hear it. The service has ended the session already.
      client.logout().catch(() => {});
      bidFarewell();
    },
  };

  onStepUp(() => confirmIdentity(account.state));
  client.onChange(({ signedIn, reason }) => {
    if (isGone) return;
    if (!signedIn) goToSignIn(reason);
    else if (reason === 'sign_in') {
      // In another tab, perhaps as somebody else.
      letPageGo();
      location.reload();
    }
  });
  const refresh = () => {
    if (!isGone && document.visibilityState === 'visible') void account.reload();
  };
  document.addEventListener('visibilitychange', refresh);
  addEventListener('online', refresh);
  addEventListener('offline', () => showFault(OFFLINE));
  again.addEventListener('click', () => {
    client.wake();
    void account.reload();
  });
  if (!navigator.onLine) showFault(OFFLINE);
  await account.reload();
}
