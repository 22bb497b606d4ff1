/**
 * An element with attributes and children. `true` sets an attribute without a value; `false`, null and undefined leave
 * it out. Text stays text: nothing is parsed as HTML.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== null && value !== false)
      made.setAttribute(name, value === true ? '' : String(value));
  made.append(...children);
  return made;
}

/**
 * The element with this ID, which the page's HTML contains. Throws if it is missing or of another class.
 *
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new TypeError(`#${id} is not on this page`);
  return found;
}

/**
 * Shows one of the page's steps and hides the others. The focus moves to its first field, or to its heading, so that a
 * screen reader goes on there.
 *
 * @param {string} id of the step
 */
export function showStep(id) {
  for (const step of document.querySelectorAll('[data-step]'))
    if (step instanceof HTMLElement) step.hidden = step.id !== id;
  const first =
    document.querySelector(`#${id} :is(input, select):not([hidden], :disabled)`) ??
    document.querySelector(`#${id} h1`);
  if (first instanceof HTMLElement) first.focus();
}

/**
 * A text that somebody else wrote. `<bdi>` keeps a character that turns the direction of writing (U+202E) from
 * rearranging what stands beside it.
 *
 * @param {string} text
 */
export const foreign = (text) => element('bdi', {}, text);
