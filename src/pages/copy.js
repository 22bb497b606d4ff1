/**
 * Copies a text to the clipboard, and says so in `said`. Without HTTPS there is no clipboard, and the user may have
 * forbidden it: then the text is selected where it is shown, if it is.
 *
 * @param {string} text
 * @param {HTMLElement} said a live region
 * @param {HTMLElement} [shown] the element whose whole text it is
 */
export async function copy(text, said, shown) {
  try {
    await navigator.clipboard.writeText(text);
    said.textContent = 'Copied.';
  } catch {
    if (shown) getSelection()?.selectAllChildren(shown);
    said.textContent = shown
      ? 'Selected: now copy it.'
      : 'The browser does not let this page copy. Select the text and copy it.';
  }
}
