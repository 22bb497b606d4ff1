const KEY = 'latchkey.unsaved-codes';

/**
 * Remembers, over a reload of this tab, that the recovery codes of this user were shown and not saved: never the codes.
 *
 * @param {string} userId
 */
export function rememberUnsaved(userId) {
  try {
    sessionStorage.setItem(KEY, userId);
  } catch {
    // A browser that blocks storage: the page does not remind.
  }
}

export function forgetUnsaved() {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // As above.
  }
}

/** @param {string} userId */
export function hasUnsaved(userId) {
  try {
    return sessionStorage.getItem(KEY) === userId;
  } catch {
    return false;
  }
}
