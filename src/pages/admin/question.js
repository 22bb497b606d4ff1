import { element, foreign } from '../element.js';
import { onSubmit } from '../form.js';
import { opened } from './dialog.js';
import { ABOUT_PASSWORD } from './password.js';

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {(Node | string)[]} text
 * @property {string} action what the button says
 * @property {string} [typed] the text that has to be typed first
 * @property {boolean} [password] whether to ask for the administrator's password
 * @property {(password: string | undefined) => Promise<unknown>} act
 */

/** @param {string} expected */
function typedField(expected) {
  const input = element('input', {
    id: 'question-typed',
    name: 'typed',
    required: true,
    autocomplete: 'off',
    autocapitalize: 'none',
    spellcheck: 'false',
    'data-missing': 'Type the text above.',
    'data-invalid': 'This is not the text above.',
  });
  const check = () => {
    const isRight = input.value.trim().toLowerCase() === expected.toLowerCase();
    input.setCustomValidity(isRight ? '' : 'different');
  };
  input.addEventListener('input', check);
  check();
  const label = element('label', { for: input.id }, 'To confirm, type ', foreign(expected));
  return element('div', { class: 'field' }, label, input);
}

function passwordField() {
  const id = 'question-password';
  const input = element('input', {
    id,
    name: 'password',
    type: 'password',
    required: true,
    autocomplete: 'current-password',
  });
  return element('div', { class: 'field' }, element('label', { for: id }, 'Your password'), input);
}

/**
 * Asks before something is done, and does it. If `act` is refused, the question stays open and shows why. Resolves to
 * whether it was done. `otherwise` finds where the focus goes if what had it has left the page.
 *
 * @param {Question} question
 * @param {() => HTMLElement | undefined} [otherwise]
 * @returns {Promise<boolean>}
 */
export async function asked({ title, text, action, typed, password, act }, otherwise) {
  const cancel = element('button', { type: 'button', class: 'button plain' }, 'Cancel');
  const form = element(
    'form',
    {},
    element('h2', { id: 'question-title' }, title),
    element('p', { id: 'question-text' }, ...text),
    ...(typed === undefined ? [] : [typedField(typed)]),
    ...(password ? [passwordField()] : []),
    element(
      'div',
      { class: 'actions' },
      cancel,
      element('button', { class: 'button danger' }, action),
    ),
  );
  const dialog = element(
    'dialog',
    { id: 'question', 'aria-labelledby': 'question-title', 'aria-describedby': 'question-text' },
    form,
  );
  cancel.addEventListener('click', () => dialog.close());
  let isDone = false;
  onSubmit(
    form,
    async ({ password: given }) => {
      await act(given);
      isDone = true;
      dialog.close();
    },
    ABOUT_PASSWORD,
  );
  document.getElementById('console')?.append(dialog);
  await opened(dialog, otherwise);
  dialog.remove();
  return isDone;
}
