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

/** Shows what is wrong with a field that is sent without its form, and moves the focus there. True: nothing is.
 *
 * @param {Control} control
 */
export function isFilledIn(control) {
  const fault = faultOf(control);
  showFieldError(control, fault);
  if (fault !== undefined) control.focus();
  return fault === undefined;
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

/** @param {Event} event */
function stop(event) {
  const { target, type } = event;
  if (type === 'click' && !(target instanceof Element && target.closest('button'))) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

/**
 * Keeps a form, and the dialog that it is in, until the answer is here: what was sent goes on, and its answer may be shown
 * only once. Returns what ends this.
 *
 * @param {HTMLFormElement} form
 */
function keepOpen(form) {
  const dialog = form.closest('dialog');
  const place = dialog ?? form;
  // Not `disabled`: the focus would be lost.
  const buttons = place.querySelectorAll('button');
  const closedBy = dialog?.getAttribute('closedby');
  form.setAttribute('aria-busy', 'true');
  for (const button of buttons) button.setAttribute('aria-disabled', 'true');
  for (const type of ['click', 'cancel']) place.addEventListener(type, stop, true);
  // A second Escape closes a dialog without an event that can be cancelled.
  dialog?.setAttribute('closedby', 'none');
  return () => {
    form.setAttribute('aria-busy', 'false');
    for (const button of buttons) button.setAttribute('aria-disabled', 'false');
    for (const type of ['click', 'cancel']) place.removeEventListener(type, stop, true);
    // The next form of the dialog has set its own.
    if (!dialog?.contains(form)) return;
    if (closedBy) dialog.setAttribute('closedby', closedBy);
    else dialog.removeAttribute('closedby');
  };
}

/**
 * Sends a form by script. While `send` runs, the form is busy: it cannot be sent again, and its dialog cannot be closed.
 * What `send` throws is shown by `showRefusal`. `values` has the text of each named field; an empty field that is not required is left out.
 *
 * @param {HTMLFormElement} form
 * @param {(values: Record<string, string>) => Promise<unknown>} send
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
    const letGo = keepOpen(form);
    try {
      await send(values);
      letGo();
    } catch (error) {
      letGo();
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
