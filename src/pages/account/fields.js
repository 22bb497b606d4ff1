import { element } from '../element.js';

/**
 * A field with its label and, if there is one, a hint.
 *
 * @param {{ name: string, label: string, hint?: string } & Record<string, string | number | boolean | undefined>} options the others are attributes of the input
 */
export function field({ name, label, hint, ...attributes }) {
  const id = `dialog-${name}`;
  return element(
    'div',
    { class: 'field' },
    element('label', { for: id }, label),
    element('input', {
      id,
      name,
      required: true,
      ...attributes,
      'aria-describedby': hint && `${id}-hint`,
    }),
    ...(hint ? [element('p', { id: `${id}-hint`, class: 'hint' }, hint)] : []),
  );
}

/**
 * The current password. The hidden address tells a password manager whose it is.
 *
 * @param {string} email
 * @param {{ name?: string, label?: string }} [options]
 */
export const passwordFields = (email, { name = 'password', label = 'Password' } = {}) => [
  element('input', {
    type: 'text',
    autocomplete: 'username',
    value: email,
    readonly: true,
    hidden: true,
  }),
  field({
    name,
    label,
    type: 'password',
    autocomplete: 'current-password',
    maxlength: 1_024,
    'data-missing': 'Enter your current password.',
  }),
];

/** A code of the authenticator app, or a recovery code. */
export const codeField = () =>
  field({
    name: 'code',
    label: 'Code',
    hint: 'From your authenticator app, or one of your recovery codes.',
    autocomplete: 'one-time-code',
    autocapitalize: 'characters',
    spellcheck: 'false',
    pattern: '\\s*(([0-9]\\s*){6}|([A-Za-z2-7][\\s\\-]*){16})',
    maxlength: 40,
    'data-missing': 'Enter a code.',
    'data-invalid': 'Enter six digits, or one of your recovery codes.',
  });

/** What the service takes from `codeField`.
 *
 * @param {Record<string, string>} values
 * @returns {{ code: string } | { recovery_code: string }}
 */
export function codeProof({ code = '' }) {
  const text = code.replace(/\s/g, '');
  return /^\d{6}$/.test(text) ? { code: text } : { recovery_code: text };
}

/**
 * @param {string} name
 * @param {string} label
 * @param {string} missing what to say if it is not ticked
 */
export const tick = (name, label, missing) =>
  element(
    'div',
    { class: 'field' },
    element(
      'label',
      { class: 'choice' },
      element('input', {
        type: 'checkbox',
        id: `dialog-${name}`,
        name,
        required: true,
        'data-missing': missing,
      }),
      label,
    ),
  );
