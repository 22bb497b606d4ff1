import { button } from './section.js';

/**
 * A button that copies a text to the clipboard, and says so in `said`.
 *
 * @param {string} label
 * @param {string} text
 * @param {HTMLElement} said a live region beside it
 */
export const copyButton = (label, text, said) =>
  button(label, async () => {
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = 'Copied.';
    } catch {
      // Without HTTPS there is no clipboard, and the user may have forbidden it.
      said.textContent = 'The browser does not let this page copy. Select the text and copy it.';
    }
  });
