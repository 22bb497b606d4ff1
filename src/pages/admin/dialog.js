import { showFieldError } from '../form.js';

/**
 * Opens a `<dialog>` at its top. Resolves when it is closed: by then its forms are empty, as they can have a password, and the
 * focus is where it was, or on what `otherwise` finds if that is no longer shown.
 *
 * @param {HTMLDialogElement} dialog
 * @param {() => HTMLElement | undefined} [otherwise]
 * @returns {Promise<void>}
 */
export const opened = (dialog, otherwise) =>
  new Promise((resolve) => {
    const opener = document.activeElement;
    const onClose = () => {
      for (const form of dialog.querySelectorAll('form')) emptied(form);
      if (!opener?.checkVisibility() || opener === document.body) otherwise?.()?.focus();
      resolve();
    };
    dialog.addEventListener('close', onClose, { once: true });
    dialog.showModal();
    // A browser keeps how far down it was scrolled when it was closed.
    dialog.scrollTop = 0;
  });

/** Empties a form, and removes its errors.
 *
 * @param {HTMLFormElement} form
 */
export function emptied(form) {
  form.reset();
  form.querySelector('[role=alert]')?.remove();
  for (const input of form.querySelectorAll('input')) showFieldError(input);
}

/** Wires the buttons with `data-close`: each closes the dialog that it is in. */
export function wireCloseButtons() {
  for (const button of document.querySelectorAll('dialog [data-close]'))
    button.addEventListener('click', () => button.closest('dialog')?.close());
}
