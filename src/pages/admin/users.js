import { byId, element, foreign } from '../element.js';
import { wireInvitation } from './invitation.js';
import { listUsers } from './operations.js';
import { pagedList } from './paged-list.js';
import { address, cell, rolesList, statusBadge, timeOr } from './shown.js';
import { userPanel } from './user-panel.js';

/** @typedef {import('./operations.js').User} User */

/** Between the last key and the search (ms). */
const PAUSE = 250;

const searchOf = () => new URLSearchParams(location.search).get('search') ?? '';

/** The search is in the address, so it survives a reload. The cursors are in the entry of the history. */
const position = {
  /** @returns {string[]} */
  get: () => history.state?.cursors ?? [],
  /** @param {string[]} cursors */
  set: (cursors) => history.pushState({ cursors }, ''),
};

/** @param {User} user @param {string} myId @param {() => void} open */
function rowFor(user, myId, open) {
  const button = element('button', { type: 'button', class: 'link' }, address(user.email));
  button.addEventListener('click', open);
  const you = user.id === myId ? [' ', element('span', { class: 'badge' }, 'you')] : [];
  const status = statusBadge(user);
  return element(
    'tr',
    { 'data-id': user.id },
    element('th', { scope: 'row' }, button, ...you),
    cell('Name', foreign(user.name ?? '–')),
    cell('Roles', user.roles.length > 0 ? rolesList(user.roles) : '–'),
    cell('Status', status),
    cell('Second factor', user.mfa ? 'on' : 'off'),
    cell('Last sign-in', timeOr(user.last_login_at, 'never')),
  );
}

/** The list of users, its search, and what opens from it.
 *
 * @param {import('./operations.js').Profile} me
 */
export async function usersSection(me) {
  const search = byId('search', HTMLInputElement);
  const body = byId('users-rows', HTMLTableSectionElement);
  /** @param {string} id */
  const rowOf = (id) => [...body.rows].find(({ dataset }) => dataset['id'] === id);
  /** @param {User} user */
  const made = (user) => rowFor(user, me.id, () => panel.open(user.id));

  const place = () => JSON.stringify([searchOf(), position.get()]);
  /** @type {string | undefined} */
  let shown;
  /** @type {string[]} */
  let cursors = [];
  const load = pagedList({
    name: 'users',
    noun: ['user', 'users'],
    position,
    read: async (cursor) => {
      shown = place();
      cursors = position.get();
      const { users, next_cursor } = await listUsers({ email: searchOf(), cursor });
      return { rows: users, next: next_cursor };
    },
    show: (/** @type {User[]} */ users) => {
      body.replaceChildren(...users.map(made));
      byId('users-empty', HTMLElement).textContent = searchOf()
        ? 'No address begins with this.'
        : 'There are no more users.';
    },
  });
  const panel = userPanel({
    myId: me.id,
    reload: load,
    showRow: (user) => rowOf(user.id)?.replaceWith(made(user)),
    focusRow: (id) => rowOf(id)?.querySelector('button') ?? search,
  });

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  async function find() {
    clearTimeout(timer);
    const text = search.value.trim();
    if (text === searchOf()) return;
    const address = new URL(location.href);
    if (text) address.searchParams.set('search', text);
    else address.searchParams.delete('search');
    history.replaceState({ cursors: [] }, '', address);
    await load();
  }
  search.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(find, PAUSE);
  });
  byId('search-form', HTMLFormElement).addEventListener('submit', async (event) => {
    event.preventDefault();
    await find();
  });
  async function showAddress() {
    // A link to the other section has made a new entry: the list stays where it is.
    if (history.state === null) history.replaceState({ cursors }, '');
    if (place() === shown) return;
    search.value = searchOf();
    await load();
  }
  addEventListener('popstate', showAddress);
  wireInvitation(load);
  await showAddress();
}
