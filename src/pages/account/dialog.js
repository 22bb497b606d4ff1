import { element } from '../element.js';
import { onSubmit } from '../form.js';
import { notify } from '../notice.js';

/**
 * @typedef {object} Step
 * @property {string} title
 * @property {(Node | string)[]} [text] above the fields
 * @property {HTMLElement[]} fields without any, the step is a question: Cancel has the focus
 * @property {string} action
 * @property {boolean} [isDangerous]
 * @property {boolean} [isFinal] there is no way back: no button to cancel, and Escape does not close the dialog
 * @property {Record<string, string>} [errors] the name of the field beside which a code of the service is shown
 * @property {(values: Record<string, string>) => Promise<Step | void>} send resolves to the next step, or ends the dialog
 */

/** @param {() => void} close */
function cancelButton(close) {
  const cancel = element('button', { type: 'button', class: 'button plain' }, 'Cancel');
  cancel.addEventListener('click', close);
  return cancel;
}

/**
 * Opens a dialog with a form, or with several, one after another. Resolves to whether the last was sent: false if the user
 * has cancelled. The focus returns to where it was, and what was typed is gone from the page.
 *
 * @param {Step} first
 * @returns {Promise<boolean>}
 */
export function ask(first) {
  notify('');
  const dialog = element('dialog', { 'aria-labelledby': 'dialog-title' });
  let end = (/** @type {boolean} */ _isDone) => {};
  /** @type {Promise<boolean>} */
  const ended = new Promise((resolve) => {
    end = resolve;
  });
  // Does not wait for the event `close`: it may come late, and until then the button that opened the dialog is dead.
  const leave = (/** @type {boolean} */ isDone) => {
    // The focus returns, so the dialog may go only then.
    dialog.close();
    dialog.remove();
    end(isDone);
  };

  /** @param {Step} step */
  const show = ({ title, text = [], fields, action, isDangerous, isFinal, errors, send }) => {
    const submit = element(
      'button',
      { type: 'submit', class: isDangerous ? 'button danger' : 'button' },
      action,
    );
    const form = element(
      'form',
      {},
      ...fields,
      element(
        'div',
        { class: 'actions' },
        ...(isFinal ? [] : [cancelButton(() => leave(false))]),
        submit,
      ),
    );
    onSubmit(
      form,
      async (values) => {
        const next = await send(values);
        if (next) show(next);
        else leave(true);
      },
      errors,
    );
    dialog.setAttribute('closedby', isFinal ? 'none' : 'closerequest');
    dialog.oncancel = (event) => {
      if (isFinal) event.preventDefault();
      else leave(false);
    };
    const heading = element('h2', { id: 'dialog-title', tabindex: -1 }, title);
    dialog.replaceChildren(heading, element('div', { id: 'dialog-text' }, ...text), form);
    // Of a later step, people hear and read everything before they type.
    heading.focus();
  };

  show(first);
  document.body.append(dialog);
  if (first.text) dialog.setAttribute('aria-describedby', 'dialog-text');
  dialog.showModal();
  // Without a field, the harmless answer.
  const start = dialog.querySelector('input:not([hidden]), button');
  if (start instanceof HTMLElement) start.focus();
  // A browser may close it without asking.
  dialog.addEventListener('close', () => leave(false));
  return ended;
}
