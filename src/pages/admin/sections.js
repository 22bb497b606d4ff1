import { byId } from '../element.js';

const SECTIONS = ['users', 'accounts'];

/**
 * Shows one state of the page and hides the others. Unlike `showStep`, it leaves the focus alone: a search field that
 * has it opens the keyboard of a phone over the list.
 *
 * @param {'loading' | 'unreachable' | 'denied' | 'console'} id
 */
export function showState(id) {
  for (const state of document.querySelectorAll('[data-step]'))
    state.toggleAttribute('hidden', state.id !== id);
}

/** Shows the section that the fragment of the address names, or the first. */
export function showSections() {
  const show = () => {
    const named = location.hash.slice(1);
    const shown = SECTIONS.includes(named) ? named : SECTIONS[0];
    for (const id of SECTIONS) {
      byId(id, HTMLElement).hidden = id !== shown;
      const link = byId(`${id}-link`, HTMLAnchorElement);
      if (id === shown) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  };
  addEventListener('hashchange', show);
  show();
}
