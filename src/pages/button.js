import { element } from './element.js';
import { notify } from './notice.js';
import { sentenceOf } from './words.js';

/**
 * A button for something outside a form. It can be pressed again only when the work is done; what the work throws is said
 * above the page.
 *
 * @param {string} text
 * @param {() => Promise<unknown>} work
 * @param {string} [kind] its classes
 */
export function button(text, work, kind = 'button plain') {
  const made = element('button', { type: 'button', class: kind }, text);
  made.addEventListener('click', async () => {
    if (made.getAttribute('aria-disabled') === 'true') return;
    // Not `disabled`: the focus would be lost.
    made.setAttribute('aria-disabled', 'true');
    try {
      await work();
    } catch (error) {
      notify(sentenceOf(error), 'error');
    } finally {
      made.removeAttribute('aria-disabled');
    }
  });
  return made;
}
