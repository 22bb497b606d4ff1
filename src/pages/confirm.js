import { element } from './element.js';

/**
 * Asks before something that cannot be undone. Resolves to whether the user agreed; Escape is a no.
 *
 * @param {{ title: string, text: string, action: string, isDangerous?: boolean }} question
 * @returns {Promise<boolean>}
 */
export function confirmed({ title, text, action, isDangerous = false }) {
  const yes = element(
    'button',
    { value: 'yes', class: isDangerous ? 'button danger' : 'button' },
    action,
  );
  // The harmless answer comes first, so it has the focus.
  const no = element('button', { value: 'no', class: 'button plain' }, 'Cancel');
  const dialog = element(
    'dialog',
    { 'aria-labelledby': 'confirm-title', 'aria-describedby': 'confirm-text' },
    element('h2', { id: 'confirm-title' }, title),
    element('p', { id: 'confirm-text' }, text),
    element('form', { method: 'dialog', class: 'actions' }, no, yes),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
  });
}
