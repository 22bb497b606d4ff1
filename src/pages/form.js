import { element } from './element.js';
import { sentenceOf } from './words.js';

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Control */

/** @param {HTMLFormElement} form @returns {Control[]} */
const controlsOf = (form) =>
  Array.from(form.querySelectorAll('input[name], select[name], textarea[name]'));

/** @param {Control} control */
const errorId = (control) => `${control.id}-error`;

/** @param {Control} control @param {string} id @param {boolean} isDescribed */
function describe(control, id, isDescribed) {
  const ids = new Set((control.getAttribute('aria-describedby') ?? '').split(' ').filter(Boolean));
  if (isDescribed) ids.add(id);
  else ids.delete(id);
  if (ids.size > 0) control.setAttribute('aria-describedby', [...ids].join(' '));
  else control.removeAttribute('aria-describedby');
}

/**
 * Shows an error beside its field, or removes it.
 *
 * @param {Control} control
 * @param {string | undefined} [text]
 */
export function showFieldError(control, text) {
  const id = errorId(control);
  document.getElementById(id)?.remove();
  describe(control, id, text !== undefined);
  if (text === undefined) {
    control.removeAttribute('aria-invalid');
    return;
  }
  control.setAttribute('aria-invalid', 'true');
  const field = control.closest('.field') ?? control.parentElement;
  field?.append(element('p', { id, class: 'error' }, text));
}

/** @param {Control} control */
const labelOf = ({ labels }) => labels?.[0]?.textContent?.trim() ?? 'This field';

/** What is wrong with a field before it is sent; undefined: nothing.
 *
 * @param {Control} control
 */
function faultOf(control) {
  const { validity } = control;
  if (validity.valid) return undefined;
  if (validity.valueMissing)
    return control.dataset['missing'] ?? `Enter your ${labelOf(control).toLowerCase()}.`;
  if (validity.typeMismatch) return 'Enter an email address, such as ada@example.com.';
  if (validity.tooShort)
    return `Use at least ${/** @type {HTMLInputElement} */ (control).minLength} characters.`;
  return control.dataset['invalid'] ?? control.validationMessage;
}

/** @param {HTMLFormElement} form @param {string} [text] */
function showAlert(form, text) {
  const box = form.querySelector('[role=alert]');
  if (text === undefined) box?.remove();
  else if (box) box.textContent = text;
  else form.prepend(element('p', { class: 'notice error', role: 'alert', tabindex: -1 }, text));
}

/**
 * Shows what was refused: `errors` of the problem beside their fields, a code that `fields` names beside that field,
 * everything else above the form. The focus moves to the first error.
 *
 * @param {HTMLFormElement} form
 * @param {unknown} error
 * @param {Record<string, string>} [fields] the name of a field, by the code of the problem
 */
export function showRefusal(form, error, fields = {}) {
  const controls = controlsOf(form);
  const { code = '', problem } = /** @type {Partial<import('./api.js').ApiError>} */ (error ?? {});
  const faults = /** @type {{ path: string, message: string }[]} */ (problem?.['errors'] ?? []);
  /** @type {string[]} */
  const others = [];
  for (const { path, message } of faults) {
    const [, first, ...inner] = path.split('/');
    const control = controls.find(({ name }) => first === name);
    // The name of a member tells which one is meant, the number of an entry does not.
    const member = inner.find((name) => !/^\d+$/.test(name));
    const label = control && (member ? `${labelOf(control)}: ${member}` : labelOf(control));
    const sentence = `${label ?? path.slice(1)} ${message}.`;
    if (control) showFieldError(control, sentence);
    else others.push(sentence);
  }
  const named = controls.find(({ name }) => name === fields[code]);
  if (named) showFieldError(named, sentenceOf(error));
  else if (faults.length === 0) others.push(sentenceOf(error));
  if (others.length > 0) showAlert(form, others.join(' '));
  focusFirstError(form);
}

/** @param {HTMLFormElement} form */
function focusFirstError(form) {
  const first = form.querySelector('[aria-invalid=true], [role=alert]');
  if (first instanceof HTMLElement) first.focus();
}

/** @param {HTMLFormElement} form @param {boolean} isBusy */
function setBusy(form, isBusy) {
  form.setAttribute('aria-busy', String(isBusy));
  // Not `disabled`: the focus would be lost.
  for (const button of form.querySelectorAll('button'))
    button.setAttribute('aria-disabled', String(isBusy));
}

/**
 * Sends a form by script. While `send` runs, the form is busy and cannot be sent again. What `send` throws is shown by
 * `showRefusal`. `values` has the text of each named field; an empty field that is not required is left out.
 *
 * @param {HTMLFormElement} form
 * @param {(values: Record<string, string>, submitter: HTMLElement | null) => Promise<unknown>} send
 * @param {Record<string, string>} [fields] see `showRefusal`
 */
export function onSubmit(form, send, fields) {
  form.noValidate = true;
  const passwords = [...form.querySelectorAll('input')].filter(({ type }) => type === 'password');
  const hide = passwords.map(addReveal);
  form.addEventListener('input', ({ target }) => {
    if (target instanceof HTMLInputElement && target.hasAttribute('aria-invalid'))
      showFieldError(target);
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (form.getAttribute('aria-busy') === 'true') return;
    showAlert(form);
    const controls = controlsOf(form).filter((control) => !control.matches(':disabled'));
    for (const control of controls) showFieldError(control, faultOf(control));
    if (form.querySelector('[aria-invalid=true]')) {
      focusFirstError(form);
      return;
    }
    const values = Object.fromEntries(
      controls
        .filter(({ value, required }) => required || value !== '')
        .map(({ name, value }) => [name, value]),
    );
    // A browser remembers what a field of type text has sent.
    for (const each of hide) each();
    setBusy(form, true);
    try {
      await send(values, event.submitter);
      setBusy(form, false);
    } catch (error) {
      setBusy(form, false);
      showRefusal(form, error, fields);
    }
  });
}

/**
 * Puts a button beside a password field that shows what was typed. Returns what hides it again.
 *
 * @param {HTMLInputElement} input
 */
function addReveal(input) {
  const button = element('button', { type: 'button', class: 'reveal', 'aria-controls': input.id });
  /** @param {boolean} isShown */
  const show = (isShown) => {
    input.type = isShown ? 'text' : 'password';
    button.textContent = isShown ? 'Hide' : 'Show';
    button.setAttribute('aria-label', isShown ? 'Hide the password' : 'Show the password');
  };
  button.addEventListener('click', () => {
    show(input.type === 'password');
    input.focus();
  });
  show(false);
  const box = element('div', { class: 'revealed' });
  input.replaceWith(box);
  box.append(input, button);
  return () => show(false);
}
