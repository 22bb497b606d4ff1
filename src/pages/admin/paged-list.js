import { byId } from '../element.js';
import { sentenceOf } from '../words.js';

/**
 * @template Row
 * @typedef {object} List
 * @property {string} name begins the IDs of its parts on the page
 * @property {[one: string, many: string]} noun
 * @property {(cursor: string | undefined) => Promise<{ rows: Row[], next: string | null }>} read
 * @property {(rows: Row[]) => void} show
 * @property {{ get: () => string[], set: (cursors: string[]) => void }} position the cursors of the pages up to this one
 */

/**
 * A list in pages. The API names only the next page, so the cursors of those before it are kept in `position`. Of two
 * reads at the same time, the later one counts.
 *
 * @template Row
 * @param {List<Row>} list
 */
export function pagedList({ name, noun, read, show, position }) {
  /** @param {string} part */
  const part = (part) => byId(`${name}-${part}`, HTMLElement);
  const section = byId(name, HTMLElement);
  const table = part('table');
  const empty = part('empty');
  const pager = part('pager');
  const place = part('page');
  const tally = part('count');
  const trouble = part('trouble');
  const reason = part('trouble-text');
  const previous = byId(`${name}-previous`, HTMLButtonElement);
  const next = byId(`${name}-next`, HTMLButtonElement);
  let reads = 0;
  /** @type {string | null} */
  let nextCursor = null;

  /** @param {number} count @param {number} page */
  function showPlace(count, page) {
    const isOnly = page === 1 && nextCursor === null;
    table.hidden = count === 0;
    empty.hidden = count > 0;
    pager.hidden = isOnly;
    previous.disabled = page === 1;
    next.disabled = nextCursor === null;
    place.textContent = `Page ${page}`;
    const rows = `${count || 'No'} ${noun[count === 1 ? 0 : 1]}`;
    tally.textContent = isOnly ? rows : `${rows} on page ${page}`;
  }

  /** Reads the page where the list stands. */
  async function load() {
    reads += 1;
    const mine = reads;
    const isLast = () => mine === reads;
    const cursors = position.get();
    section.setAttribute('aria-busy', 'true');
    try {
      const page = await read(cursors.at(-1));
      if (!isLast()) return;
      nextCursor = page.next;
      show(page.rows);
      trouble.hidden = true;
      showPlace(page.rows.length, cursors.length + 1);
    } catch (error) {
      if (!isLast()) return;
      reason.textContent = sentenceOf(error);
      trouble.hidden = false;
    } finally {
      if (isLast()) section.removeAttribute('aria-busy');
    }
  }

  /** @param {string[]} cursors */
  async function turn(cursors) {
    // A second click while a page is read would turn from one that is not shown yet.
    if (section.getAttribute('aria-busy')) return;
    position.set(cursors);
    await load();
    table.scrollIntoView({ block: 'nearest' });
  }
  previous.addEventListener('click', async () => {
    await turn(position.get().slice(0, -1));
    if (previous.disabled) next.focus();
  });
  next.addEventListener('click', async () => {
    if (nextCursor === null) return;
    await turn([...position.get(), nextCursor]);
    if (next.disabled) previous.focus();
  });
  part('retry').addEventListener('click', load);
  addEventListener('online', async () => {
    if (!trouble.hidden) await load();
  });
  return load;
}
