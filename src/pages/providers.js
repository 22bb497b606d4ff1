import { byId, element, foreign } from './element.js';
import { nextPage, settings, urlOf } from './session.js';
import { sentenceOf } from './words.js';

/**
 * A link that signs in with an outside provider, and then goes to a page.
 *
 * @param {{ provider: string, name: string }} provider
 * @param {string} to the URL of the page
 * @param {string} text what stands before its name
 */
export const providerLink = ({ provider, name }, to, text) =>
  element(
    'a',
    {
      class: 'button plain full',
      href: urlOf(`v1/login/${provider}?${new URLSearchParams({ return_to: to })}`),
    },
    // One child: the button would set the two apart.
    element('span', {}, `${text} `, foreign(name)),
  );

/** Shows the outside providers in `#providers`, if there are any. */
export function offerProviders() {
  byId('providers', HTMLElement).replaceChildren(
    ...settings.providers.map((provider) =>
      element('p', { class: 'after' }, providerLink(provider, nextPage(), 'Continue with')),
    ),
  );
}

/** What the user reads if the way to a provider, or the way back, has failed: the code is in `?error=`. Empty: nothing has. */
export function providerFault(search = location.search) {
  const code = new URLSearchParams(search).get('error');
  return code === null ? '' : sentenceOf({ status: 400, code });
}

/**
 * Takes what has been said out of the address: a reload does not say it again.
 *
 * @param {...string} names of the query
 */
export function forget(...names) {
  const url = new URL(location.href);
  for (const name of names) url.searchParams.delete(name);
  history.replaceState(null, '', url.pathname + url.search + url.hash);
}
