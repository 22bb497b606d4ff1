import { wireCloseButtons } from './admin/dialog.js';
import { NO_LONGER_ADMIN, readMe } from './admin/operations.js';
import { wireSecret } from './admin/secret.js';
import { showSections, showState } from './admin/sections.js';
import { serviceAccountsSection } from './admin/service-accounts.js';
import { usersSection } from './admin/users.js';
import { byId } from './element.js';
import { showNav } from './nav.js';
import { requireSignedIn } from './session.js';
import { sentenceOf } from './words.js';

/** @param {string} text */
function deny(text) {
  // What an administrator saw is not left behind for the next person at the screen.
  document.getElementById('console')?.remove();
  byId('denied-text', HTMLElement).textContent = text;
  showState('denied');
  byId('denied-title', HTMLElement).focus();
}

async function start() {
  showState('loading');
  try {
    if (!(await requireSignedIn())) return;
    const me = await readMe();
    showNav({ current: 'admin', roles: me.roles });
    if (!me.roles.includes('admin')) {
      deny(`You are signed in as ${me.email}, and this account does not have the role admin.`);
      return;
    }
    wireCloseButtons();
    wireSecret();
    showSections();
    showState('console');
    await Promise.all([usersSection(me), serviceAccountsSection()]);
  } catch (error) {
    byId('unreachable-text', HTMLElement).textContent = sentenceOf(error);
    showState('unreachable');
  }
}

document.addEventListener(NO_LONGER_ADMIN, (event) => {
  if (event instanceof CustomEvent) deny(event.detail);
});
const retry = byId('unreachable-retry', HTMLButtonElement);
retry.addEventListener('click', start);
addEventListener('online', async () => {
  if (retry.checkVisibility()) await start();
});
await start();
