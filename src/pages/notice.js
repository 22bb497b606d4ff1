/**
 * Says what has happened, above the page: a screen reader reads it, and it stays until the next one.
 *
 * @param {string} text
 * @param {'ok' | 'warning' | 'error'} [kind]
 */
export function notify(text, kind = 'ok') {
  const box = document.getElementById('notices');
  if (!box) return;
  box.className = text === '' ? '' : `notice ${kind}`;
  box.textContent = text;
  box.scrollIntoView({ block: 'nearest' });
}
