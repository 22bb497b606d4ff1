import { button } from '../button.js';
import { copy } from '../copy.js';
import { element } from '../element.js';
import { settings } from '../session.js';
import { tick } from './fields.js';
import { forgetUnsaved } from './unsaved-codes.js';

/**
 * Saves a text as a file.
 *
 * @param {string} name
 * @param {string} text
 */
function download(name, text) {
  const href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  element('a', { href, download: name }).click();
  // The browser reads it after this turn.
  setTimeout(() => URL.revokeObjectURL(href), 1_000);
}

/**
 * The step that shows the codes, once. It ends only when the user says that they are saved.
 *
 * @param {string[]} codes
 * @param {string} email
 * @returns {import('./dialog.js').Step}
 */
export function recoveryCodesStep(codes, email) {
  const { product } = settings;
  const text = `${product}: recovery codes of ${email}\n\n${codes.join('\n')}\n\nEach code works once, instead of a code from the authenticator app.\n`;
  const said = element('p', { class: 'hint', role: 'status' });
  return {
    title: 'Save your recovery codes',
    text: [
      element(
        'p',
        {},
        'If you lose your phone, these codes let you sign in. Each works once, instead of a code from the app. They are shown only now. Keep them in a safe place, and not on the same phone.',
      ),
      element('p', { class: 'printed' }, `${product}: ${email}`),
      element(
        'ol',
        { class: 'codes', 'aria-label': 'Recovery codes' },
        ...codes.map((code) => element('li', {}, element('code', {}, code))),
      ),
      element(
        'div',
        { class: 'tools' },
        button('Copy', () => copy(text, said)),
        button('Download', async () => {
          download('recovery-codes.txt', text);
          said.textContent = 'Saved as recovery-codes.txt.';
        }),
        button('Print', async () => print()),
      ),
      said,
    ],
    fields: [
      tick(
        'saved',
        'I have saved these codes',
        'Save the codes first, then tick this box: they are not shown again.',
      ),
    ],
    action: 'Done',
    isFinal: true,
    send: async () => forgetUnsaved(),
  };
}
