/**
 * The object that the text is, or undefined.
 *
 * @param {string} text
 * @returns {Record<string, unknown> | undefined}
 */
function objectIn(text) {
  try {
    const value = JSON.parse(text.trim() || '{}');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Custom claims as JSON in a text field. The field is invalid while its text is no object; the API checks the rest.
 *
 * @param {HTMLTextAreaElement} field
 */
export function claimsIn(field) {
  field.addEventListener('input', () =>
    field.setCustomValidity(objectIn(field.value) === undefined ? 'invalid' : ''),
  );
  return {
    /** @param {Record<string, unknown>} claims */
    show: (claims) => {
      field.value = Object.keys(claims).length > 0 ? JSON.stringify(claims, null, 2) : '';
      field.setCustomValidity('');
    },
    given: () => {
      const text = field.value;
      return {
        claims: objectIn(text) ?? {},
        putBack: () => {
          field.value = text;
        },
      };
    },
  };
}
