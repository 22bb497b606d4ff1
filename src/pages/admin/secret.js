import { byId } from '../element.js';
import { urlOf } from '../session.js';
import { opened } from './dialog.js';
import { foreign } from './shown.js';

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

/** Where a page may not write to the clipboard, the secret is selected instead. */
async function copy() {
  try {
    await navigator.clipboard.writeText(part('value').textContent ?? '');
    part('copied').textContent = 'Copied.';
  } catch {
    getSelection()?.selectAllChildren(part('value'));
    part('copied').textContent = 'Selected: now copy it.';
  }
}

export function wireSecret() {
  part('copy').addEventListener('click', copy);
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
  await opened(byId('secret', HTMLDialogElement));
  forget();
}
