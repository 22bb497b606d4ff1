import { copy } from '../copy.js';
import { byId, foreign } from '../element.js';
import { holdPage, letPageGo } from '../leaving.js';
import { urlOf } from '../session.js';
import { opened } from './dialog.js';

/** @param {string} name */
const part = (name) => byId(`secret-${name}`, HTMLElement);

/** The shell takes the secret from a variable, so it is not in the shell's history.
 *
 * @param {string} id
 */
const commandFor = (id) =>
  [
    `curl --user "${id}:$CLIENT_SECRET" \\`,
    '  --data grant_type=client_credentials \\',
    `  ${urlOf('oauth/token')}`,
  ].join('\n');

function forget() {
  part('value').textContent = '';
  part('copied').textContent = '';
}

export function wireSecret() {
  const value = part('value');
  part('copy').addEventListener('click', () =>
    copy(value.textContent ?? '', part('copied'), value),
  );
  // Escape would lose the secret. Safari does not know `closedby` yet.
  byId('secret', HTMLDialogElement).addEventListener('cancel', (event) => event.preventDefault());
  // A browser can keep a page that was left, to show it again.
  addEventListener('pagehide', forget);
}

/**
 * Shows a new secret, the only time that it is shown. It is in the page until the dialog is closed, and nowhere else.
 *
 * @param {import('./operations.js').ServiceAccountWithSecret} account
 */
export async function showSecret({ client_id, client_secret, name }) {
  part('name').replaceChildren(foreign(name));
  part('id').textContent = client_id;
  part('value').textContent = client_secret;
  part('command').textContent = commandFor(client_id);
  holdPage();
  await opened(byId('secret', HTMLDialogElement));
  letPageGo();
  forget();
}
